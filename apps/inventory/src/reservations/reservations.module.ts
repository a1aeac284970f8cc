import { Module } from '@nestjs/common';
import { MetricsModule } from '@signet/http';
import { StockModule } from '../stock/stock.module.js';
import { ReservationMetrics } from './reservation-metrics.js';
import { ReservationSweeper } from './reservation-sweeper.js';
import { ReservationsController } from './reservations.controller.js';
import { ReservationsService } from './reservations.service.js';

@Module({
  imports: [MetricsModule, StockModule],
  controllers: [ReservationsController],
  providers: [ReservationsService, ReservationSweeper, ReservationMetrics],
})
export class ReservationsModule {}
