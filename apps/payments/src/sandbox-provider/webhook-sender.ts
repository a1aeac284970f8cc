import { setTimeout as sleep } from 'node:timers/promises';
import { signatureHeader } from '../webhooks/signature.js';
import type { Chaos, Dice } from './chaos.js';
import type { SandboxEvent } from './records.js';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;

export interface WebhookSenderOptions {
  /** Nothing is sent when not set. */
  url: string | undefined;
  secret: string;
  /** The knobs as they are set now. */
  chaos: () => Chaos;
  dice: Dice;
  onDelivered: (id: string) => void;
}

/** Sends each event until it is answered with 2xx, in whatever order that leads to. */
export class WebhookSender {
  private readonly stopped = new AbortController();

  constructor(private readonly options: WebhookSenderOptions) {}

  send(event: SandboxEvent): void {
    const { url, chaos, dice } = this.options;
    const lost = dice.hits(chaos().loseWebhooks);
    const twice = dice.hits(chaos().duplicateWebhooks);
    const delay = Math.round(dice.draw() * chaos().webhookDelayMs);
    if (!url) return;
    if (lost) {
      this.options.onDelivered(event.id);
      return;
    }
    void this.deliver(url, event, delay);
    if (twice) void this.deliver(url, event, delay);
  }

  stop(): void {
    this.stopped.abort();
  }

  private async deliver(url: string, event: SandboxEvent, delay: number): Promise<void> {
    const { signal } = this.stopped;
    let pause = FIRST_RETRY_MS;
    try {
      await sleep(delay, undefined, { signal });
      while (!(await this.arrives(url, event))) {
        await sleep(pause, undefined, { signal });
        pause = Math.min(pause * 2, LAST_RETRY_MS);
      }
      this.options.onDelivered(event.id);
    } catch {
      // Stopped: what has not arrived is in the journal, and is sent at the next start.
    }
  }

  private async arrives(url: string, event: SandboxEvent): Promise<boolean> {
    const body = JSON.stringify(event);
    const signature = signatureHeader(body, this.options.secret);
    const signal = AbortSignal.any([this.stopped.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const headers = { 'content-type': 'application/json', 'signet-signature': signature };
    // Not `fetch`, which would be a tenth of the process.
    const { request } = url.startsWith('https:')
      ? await import('node:https')
      : await import('node:http');
    return new Promise((resolve) => {
      const call = request(url, { method: 'POST', headers, signal }, (answer) => {
        const { statusCode = 0 } = answer;
        answer.resume();
        resolve(statusCode >= 200 && statusCode < 300);
      });
      call.once('error', () => resolve(false));
      call.end(body);
    });
  }
}
