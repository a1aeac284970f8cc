import fc from 'fast-check';
import { parseJsonObject } from './json.js';

const parse = (text: string) => parseJsonObject(Buffer.from(text));

describe('strict JSON', () => {
  it.each([
    ['white space', '{ "a" : 1,\n "b" : [ { "c" : null } ] }'],
    ['escapes and colons in strings', '{"a\\":b":"c\\\\","d":":\\":"}'],
    ['numbers written at length', '{"a":1.0,"b":1e3}'],
    ['the same name in different objects', '{"a":{"x":1},"b":[{"x":1},{"x":2}]}'],
    ['names that look like indexes', '{"b":1,"2":1,"1":1}'],
    ['an escaped name', '{"\\u0061":1,"b":2}'],
  ])('reads %s', (_what, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['a member twice', '{"sub":"a","sub":"b"}'],
    ['a member twice with the same value', '{"sub":"a","sub":"a"}'],
    ['a member twice, once escaped', '{"sub":"a","s\\u0075b":"b"}'],
    ['a nested member twice', '{"cnf":{"jkt":"a","jkt":"b"}}'],
    ['a member twice inside an array', '{"a":[{"b":1,"b":1}]}'],
    ['a member twice among white space', '{ "a": 1, "b": {"x": ":"}, "a": 2 }'],
    ['a __proto__ member', '{"__proto__":{"roles":["admin"]}}'],
    ['a nested __proto__ member', '{"a":[{"__proto__":1}]}'],
    ['an escaped __proto__ member', '{"\\u005f_proto__":{}}'],
    ['nesting without end', `{"a":${'['.repeat(3000)}${']'.repeat(3000)}}`],
    ['objects without end', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`],
    ['an array', '[{"a":1}]'],
    ['a string', '"a"'],
    ['a number', '1'],
    ['null', 'null'],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['two objects', '{"a":1}{"a":2}'],
    ['a comment', '{"a":1/**/}'],
    ['a trailing comma', '{"a":1,}'],
    ['NaN', '{"a":NaN}'],
    ['single quotes', "{'a':1}"],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(parse(text)).toBeUndefined();
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(parseJsonObject(Buffer.from('7b2261223a2280227d', 'hex'))).toBeUndefined();
  });

  it('freezes what it returns all the way down', () => {
    const value = parse('{"a":[{"b":[]}]}') as { a: [{ b: unknown[] }] };
    expect([value, value.a, value.a[0], value.a[0].b].every(Object.isFrozen)).toBe(true);
  });

  it('does not let a token change the prototype of anything', () => {
    parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('reads what any serializer writes, and nothing with a member added twice', () => {
    const anyObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1 });
    fc.assert(
      fc.property(anyObject, fc.integer({ min: 0, max: 4 }), (object, indent) => {
        fc.pre(!JSON.stringify(object).includes('__proto__'));
        const text = JSON.stringify(object, null, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
        const name = JSON.stringify(Object.keys(object)[0]);
        expect(parse(`{${name}:0,${text.slice(1)}`)).toBeUndefined();
      }),
    );
  });
});
