import type { FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dice } from './chaos.js';
import type { Chaos } from './chaos.js';
import { refused } from './till.js';
import type { Answer, Call } from './till.js';

/** Lets happen to calls what the knobs say. */
export class Mishaps {
  readonly dice: Dice;

  constructor(private knobs: Chaos) {
    this.dice = new Dice(knobs.seed);
  }

  get chaos(): Chaos {
    return this.knobs;
  }

  set chaos(knobs: Chaos) {
    this.knobs = knobs;
    this.dice.startFrom(knobs.seed);
  }

  /** Answers a call that has an effect, if it comes to that. */
  async take(request: FastifyRequest, reply: FastifyReply, effect: (call: Call) => Answer) {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key.length > 255) {
      const { status, body } = refused('key_required', 'Idempotency-Key is missing.', 400);
      return reply.status(status).send(body);
    }
    const { loseRequests, loseAnswers, delayAnswers, delayMs, slowMs } = this.knobs;
    const lost = this.dice.hits(loseRequests);
    const unheard = this.dice.hits(loseAnswers);
    const late = this.dice.hits(delayAnswers);
    if (lost) return drop(reply);
    const answer = effect({ key, asked: [request.url, request.body ?? null] });
    if (unheard) return drop(reply);
    const { method } = (request.body ?? {}) as { method?: unknown };
    // The connection stays open, in silence, until the caller has had enough.
    if (method === 'tok_timeout' && !answer.replayed) return reply.hijack();
    const delay = (late ? delayMs : 0) + (method === 'tok_slow' ? slowMs : 0);
    if (delay > 0) await sleep(delay);
    return reply.status(answer.status).send(answer.body);
  }
}

function drop(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.destroy();
  return reply;
}
