import { accessOf, Authenticated, Public, Roles, Scopes } from './decorators.js';
import { describeAccess } from './access.js';

/** What the decorators on a class and on one of its methods come to, in words. */
function access(onClass: ClassDecorator[], onMethod: MethodDecorator[]): string {
  class Controller {
    handle(): void {
      // Nothing to do: only its decorators matter.
    }
  }
  const handle = Object.getOwnPropertyDescriptor(Controller.prototype, 'handle') ?? {};
  for (const decorate of onMethod) decorate(Controller.prototype, 'handle', handle);
  for (const decorate of onClass) decorate(Controller);
  const found = accessOf(Controller, handle.value as object);
  return found ? describeAccess(found) : 'closed';
}

describe('the decorators of one method', () => {
  it.each<[string, MethodDecorator[]]>([
    ['closed', []],
    ['public', [Public()]],
    ['any user', [Authenticated()]],
    ['any service', [Authenticated('service')]],
    ['any user or service', [Authenticated('any')]],
    ['roles: admin', [Roles('admin')]],
    ['roles: admin or warehouse', [Roles('admin', 'warehouse')]],
    ['roles: admin', [Authenticated(), Roles('admin')]],
    ['scope a:b (service)', [Scopes('a:b')]],
    ['scopes a:b and c:d (service)', [Scopes('a:b', 'c:d')]],
    ['scope a:b (user)', [Authenticated(), Scopes('a:b')]],
    ['scope a:b (user or service)', [Authenticated('any'), Scopes('a:b')]],
    ['roles: admin, scope a:b', [Roles('admin'), Scopes('a:b')]],
  ])('say: %s', (expected, decorators) => {
    expect(access([], decorators)).toBe(expected);
    expect(access([], [...decorators].reverse())).toBe(expected);
    expect(access(decorators as unknown as ClassDecorator[], [])).toBe(expected);
  });

  it.each<[string, () => MethodDecorator[]]>([
    ['public and roles', () => [Public(), Roles('admin')]],
    ['public and authenticated', () => [Authenticated(), Public()]],
    ['public twice', () => [Public(), Public()]],
    ['roles twice', () => [Roles('admin'), Roles('support')]],
    ['a role of a service', () => [Authenticated('service'), Roles('admin')]],
    ['no role at all', () => [(Roles as unknown as () => MethodDecorator)()]],
    ['an empty scope', () => [Scopes('')]],
    ['two scopes in one', () => [Scopes('a b')]],
    ['a role that would break out of the challenge', () => [Roles('a", error="x')]],
  ])('refuse %s', (_what, decorators) => {
    expect(() => access([], decorators())).toThrow();
  });

  it('are for classes and methods only', () => {
    class Controller {
      handler = () => undefined;
    }
    const decorate = Public() as PropertyDecorator;
    expect(() => decorate(Controller.prototype, 'handler')).toThrow('classes and methods');
  });
});

describe('a method and its class', () => {
  it.each<[string, ClassDecorator[], MethodDecorator[]]>([
    ['roles: admin', [Roles('admin')], []],
    ['public', [Roles('admin')], [Public()]],
    ['roles: support', [Roles('admin')], [Roles('support')]],
    ['any user', [Roles('admin')], [Authenticated()]],
    ['roles: admin', [Public()], [Roles('admin')]],
    ['roles: admin', [Authenticated('any')], [Roles('admin')]],
    ['scope b (service)', [Scopes('a')], [Scopes('b')]],
    ['scope a (user)', [Authenticated()], [Scopes('a')]],
  ])('come to: %s', (expected, onClass, onMethod) => {
    expect(access(onClass, onMethod)).toBe(expected);
  });

  it('keep the role of the class when the method asks for a scope beside it', () => {
    expect(access([Roles('admin')], [Scopes('a')])).toBe('roles: admin, scope a');
    expect(access([Scopes('a')], [Roles('admin')])).toBe('roles: admin, scope a');
  });

  it('may not contradict each other', () => {
    expect(() => access([Authenticated('service')], [Roles('admin')])).toThrow('@Roles');
  });

  it('inherit from a base class as a method does from its class', () => {
    @Roles('admin')
    class Base {
      handle(): void {
        // Nothing to do: only its decorators matter.
      }
    }
    @Scopes('a')
    class Narrower extends Base {}
    class Same extends Base {}
    @Public()
    class Open extends Base {}
    const say = (type: typeof Base) => {
      const found = accessOf(type, Reflect.get(type.prototype, 'handle'));
      return found && describeAccess(found);
    };
    expect(say(Same)).toBe('roles: admin');
    expect(say(Narrower)).toBe('roles: admin, scope a');
    expect(say(Open)).toBe('public');
    expect(say(Base)).toBe('roles: admin');
  });
});
