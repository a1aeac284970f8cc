import { Body, Controller, Delete, Get, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Scopes } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { Returns } from '@signet/http';
import { extension, newReservation, orderId, reservation } from './reservation.schema.js';
import type { Extension, NewReservation, Reservation } from './reservation.schema.js';
import { ReservationsService } from './reservations.service.js';

/** For services alone: what an order holds of the stock. */
@ApiTags('reservations')
@Controller('internal/reservations/:orderId')
@Scopes('inventory:reserve')
export class ReservationsController {
  constructor(
    private readonly reservations: ReservationsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What the order holds or held' })
  @Returns(200, reservation)
  read(@Param('orderId', { schema: orderId }) id: string): Promise<Reservation> {
    return this.reservations.read(id);
  }

  @Put()
  @ApiOperation({
    summary: 'Holds all the items for a while, or none',
    description: 'The same again changes nothing.',
  })
  @ApiResponse({
    status: 409,
    description:
      'Nothing is held: `insufficient_stock` (see `shortages`), `reservation_conflict` (other items are) ' +
      'or `reservation_closed` (see `reservationStatus`)',
  })
  @ApiResponse({ status: 422, description: 'There are no such products: `unknown_sku`' })
  @Returns(200, reservation)
  hold(
    @Param('orderId', { schema: orderId }) id: string,
    @Body({ schema: newReservation }) body: NewReservation,
    @CurrentUser() caller: Principal,
  ): Promise<Reservation> {
    return this.reservations.hold(id, body, caller.subject);
  }

  @Post('extend')
  @ApiOperation({ summary: 'Holds them for longer, never for shorter' })
  @Idempotent()
  @Returns(200, reservation)
  extend(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('orderId', { schema: orderId }) id: string,
    @Body({ schema: extension }) { expiresIn }: Extension,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.reservations.extend(transaction, id, expiresIn),
    );
  }

  @Post('commit')
  @ApiOperation({
    summary: 'What was held is sold',
    description: 'Never after its end, swept or not.',
  })
  @Idempotent()
  @Returns(200, reservation)
  commit(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('orderId', { schema: orderId }) id: string,
    @CurrentUser() caller: Principal,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.reservations.apply(transaction, id, 'commit', caller.subject),
    );
  }

  @Post('return')
  @ApiOperation({
    summary:
      'What was sold is on hand again: the order was cancelled or refunded before it was shipped',
  })
  @Idempotent()
  @Returns(200, reservation)
  return(
    @IdempotencyKey(200) request: IdempotentRequest,
    @Param('orderId', { schema: orderId }) id: string,
    @CurrentUser() caller: Principal,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.reservations.apply(transaction, id, 'return', caller.subject),
    );
  }

  @Delete()
  @ApiOperation({
    summary: 'Gives back what is held, and keeps out a hold of the order that arrives later',
  })
  @ApiResponse({ status: 409, description: 'What it held is sold: `reservation_committed`' })
  @Returns(204)
  release(
    @Param('orderId', { schema: orderId }) id: string,
    @CurrentUser() caller: Principal,
  ): Promise<void> {
    return this.reservations.release(id, caller.subject);
  }
}
