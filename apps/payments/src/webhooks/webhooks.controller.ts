import {
  Controller,
  Headers,
  HttpStatus,
  Inject,
  Logger,
  Param,
  Post,
  RawBody,
} from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '@signet/auth-guard';
import { notFound, Problem, Returns, TakesRawBody } from '@signet/http';
import {
  ContradictoryNews,
  ForgedWebhook,
  PAYMENT_PROVIDER,
  UnreadableWebhook,
} from '../provider/payment-provider.js';
import type {
  PaymentProvider,
  ProviderEvent,
  WebhookHeaders,
} from '../provider/payment-provider.js';
import { WebhookMetrics } from './webhook-metrics.js';
import { WebhooksService } from './webhooks.service.js';

/** What the payment provider tells us by itself. Its signature over the bytes is its only proof. */
@ApiTags('webhooks')
@Controller('webhooks')
export class WebhooksController {
  private readonly logger = new Logger(WebhooksController.name);

  constructor(
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider,
    private readonly webhooks: WebhooksService,
    private readonly metrics: WebhookMetrics,
  ) {}

  @Post(':provider')
  @ApiOperation({
    summary: 'An event of the provider, signed by it',
    description: 'The same event may come again, and in any order.',
  })
  @Public()
  @TakesRawBody()
  @Returns(HttpStatus.NO_CONTENT)
  async receive(
    @Param('provider') provider: string,
    @Headers() headers: WebhookHeaders,
    @RawBody() body: Buffer | undefined,
  ): Promise<void> {
    if (provider !== this.provider.name) throw notFound('webhook');
    const event = this.read(body ?? Buffer.alloc(0), headers);
    if (event) await this.take(event);
  }

  private async take(event: ProviderEvent): Promise<void> {
    try {
      await this.webhooks.take(event);
    } catch (error) {
      if (!(error instanceof ContradictoryNews)) throw error;
      this.metrics.refuses('contradicts');
      this.logger.error(
        `Event ${event.id} of ${this.provider.name}: ${error.message}. Look at it.`,
      );
      throw contradictory();
    }
  }

  private read(body: Buffer, headers: WebhookHeaders): ProviderEvent | undefined {
    try {
      return this.provider.readEvent(body, headers);
    } catch (error) {
      if (error instanceof ForgedWebhook) {
        this.metrics.refuses('not_signed');
        throw notSigned();
      }
      if (!(error instanceof UnreadableWebhook)) throw error;
      this.metrics.refuses('unreadable');
      this.logger.error(`A webhook of ${this.provider.name} cannot be read: ${error.message}`);
      throw unreadable();
    }
  }
}

function notSigned(): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'webhook_not_signed',
    detail: 'The signature is missing, too old or not made with a secret that is known here.',
  });
}

/** Not a 5xx: a provider would send it again and again, and it would never be anything else. */
function unreadable(): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'webhook_unreadable',
    detail: 'It is signed, and is not an event. Sending it again does not help.',
  });
}

function contradictory(): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'webhook_contradicts',
    detail: 'It is signed, and cannot be true of the payment. Sending it again does not help.',
  });
}
