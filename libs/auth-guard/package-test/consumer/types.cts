import { Controller, Get, Module } from '@nestjs/common';
import { Authenticated, AuthGuardModule, CurrentUser } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { createTestIssuer } from '@signet/auth-guard/testing';

@Controller('orders')
export class OrdersController {
  @Get()
  @Authenticated()
  list(@CurrentUser() user: Principal): string {
    return user.subject;
  }
}

@Module({
  imports: [AuthGuardModule.forRoot(createTestIssuer().options)],
  controllers: [OrdersController],
})
export class AppModule {}

// @ts-expect-error: an issuer is needed, and that this is an error shows that types are found at all.
AuthGuardModule.forRoot({ audience: 'urn:example:api' });
