/** Owns the words of scenarios about consumers: who listens, what is heard, and how it is acknowledged. */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import type { Reply, Subscription } from './raw-client.ts';
import { answers, assertContains } from './scenario.ts';
import type { Step } from './scenario.ts';

/** Silence takes time to be sure of. */
const SILENCE_MS = 250;
/** Of requests for what is there. */
const EXPIRES_NS = 20e9;

export const EXPLICIT = { ack_policy: 'explicit' } as const;

/**
 * One message as scenarios write it: its payload, or its status line with the headers behind it (`100 Idle Heartbeat
 * Nats-Last-Consumer=1 Nats-Last-Stream=1`).
 */
export function shown({ headers, payload }: Reply): string {
  const [line = '', ...rest] = headers.split('\r\n').filter((one) => one !== '');
  const status = /^NATS\/1\.0 (\d.*)/.exec(line)?.[1];
  if (status === undefined) return payload;
  return [status, ...rest.map((header) => header.replace(/: ?/, '='))].join(' ');
}

/** A subscriber, and what it heard and was not yet asked about. */
export class Ear {
  readonly subject: string;
  readonly #queue: string | undefined;
  #subscription: Subscription | undefined;
  /** Every message since it was opened. */
  #taken: Reply[] = [];

  constructor(subject: string, queue?: string) {
    this.subject = subject;
    this.#queue = queue;
  }

  opens(): Step {
    return async (client) => {
      this.#subscription = client.subscribe(this.subject, this.#queue);
      this.#taken = [];
      await client.flush();
    };
  }

  /** The same on another subject. */
  on(subject: string): Step {
    return async (client) => {
      this.#subscription = client.subscribe(subject);
      this.#taken = [];
      await client.flush();
    };
  }

  closes(): Step {
    return async (client) => {
      this.#subscription?.close();
      await client.flush();
    };
  }

  /** Exactly these come next, in this order; a pattern stands for what can't be known. */
  hears(...expected: readonly (string | RegExp)[]): Step {
    return async () => {
      const replies = await this.#take(expected.length);
      for (const [index, wanted] of expected.entries()) {
        const text = shown(replies[index]!);
        if (typeof wanted === 'string') assert.equal(text, wanted, `${this.subject} #${index + 1}`);
        else assert.match(text, wanted, `${this.subject} #${index + 1}`);
      }
    };
  }

  /** One or more of the first come next, and then the other: how many is up to the clock. */
  hearsMany(many: string, last: string): Step {
    return async () => {
      let count = 0;
      for (let [reply] = await this.#take(1); shown(reply!) !== last; [reply] = await this.#take(1)) {
        assert.equal(shown(reply!), many, `${this.subject} #${++count}`);
      }
      assert.ok(count > 0, `${this.subject}: ${many}`);
    };
  }

  /** The next message's JSON contains this. */
  hearsJson(expected: object): Step {
    return async () => {
      const [reply] = await this.#take(1);
      assertContains(JSON.parse(reply!.payload), expected, reply!.subject);
    };
  }

  hearsNothing(): Step {
    return async () => {
      await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
      assert.deepEqual(this.#subscription!.received.map(shown), [], `${this.subject} must be silent`);
    };
  }

  /** Forgets what came so far. */
  forgets(): Step {
    return async (client) => {
      await client.flush();
      this.#subscription!.received.length = 0;
    };
  }

  /** The reply subject of what was heard: -1 is the last. */
  reply(at = -1): string {
    return this.#taken.at(at)!.replyTo;
  }

  last(): Reply {
    return this.#taken.at(-1)!;
  }

  /** Answers what was heard. */
  replies(at: number, payload = '', headers?: string): Step {
    return async (client) => {
      client.publish(this.reply(at), payload, headers === undefined ? {} : { headers });
      await client.flush();
    };
  }

  /** Answers what was heard, and waits for the empty answer to that. */
  confirms(at: number, payload = '+ACK'): Step {
    return async (client) => {
      const [answer] = await client.request(this.reply(at), payload);
      assert.equal(answer?.headers, '', `${payload} must be answered`);
      assert.equal(answer.payload, '');
    };
  }

  async #take(count: number): Promise<Reply[]> {
    const { received } = this.#subscription!;
    await waitFor(
      `${count} messages on ${this.subject}, of which came ${JSON.stringify(received.map(shown))}`,
      () => received.length >= count,
    );
    const replies = received.splice(0, count);
    this.#taken.push(...replies);
    return replies;
  }
}

/** A pull request of consumer `name` of stream C, answered where `ear` listens. */
export function pullsInto(ear: Ear, name: string, request: object | string): Step {
  return async (client) => {
    const body = typeof request === 'string' ? request : JSON.stringify(request);
    client.publish(`$JS.API.CONSUMER.MSG.NEXT.C.${name}`, body, { reply: ear.subject });
    await client.flush();
  };
}

/** Takes so many messages from consumer `name` of stream C; answers each with `ack`, if given, and waits until that counts. */
export function takesFrom(name: string, count: number, ack?: string): Step {
  return async (client) => {
    const taken = await client.request(
      `$JS.API.CONSUMER.MSG.NEXT.C.${name}`,
      JSON.stringify({ batch: count, expires: EXPIRES_NS }),
      { isComplete: (received) => received.length >= count },
    );
    assert.equal(taken.filter(({ replyTo }) => replyTo.startsWith('$JS.ACK.')).length, count, `messages for ${name}`);
    if (ack === undefined) return;
    for (const { replyTo } of taken) {
      const [answer] = await client.request(replyTo, ack);
      assert.equal(answer && answer.headers + answer.payload, '', `${ack} to ${replyTo}`);
    }
  };
}

/** A call whose answer carries this header. */
export function answersWithHeader(
  call: string,
  body: object,
  requestHeaders: string | undefined,
  header: RegExp,
): Step {
  return async (client) => {
    const [reply] = await client.request(`$JS.API.${call}`, JSON.stringify(body), { headers: requestHeaders });
    assert.match(reply?.headers ?? '', header, `${call}: ${reply?.payload ?? 'nothing'}`);
  };
}

/** The body of a request to create consumer `config` of stream C. */
export const ofC = (config: object, more: object = {}): object => ({ stream_name: 'C', config, ...more });

/** Waits until the info of a consumer of stream C contains this. */
export function comesTo(name: string, expected: object): Step {
  return async (client) => {
    let failure: unknown;
    const looksRight = async (): Promise<boolean> => {
      try {
        await answers(`CONSUMER.INFO.C.${name}`, '', expected)(client);
        return true;
      } catch (error) {
        failure = error;
        return false;
      }
    };
    await waitFor(`consumer ${name} as expected`, looksRight).catch((error: unknown) => {
      throw (failure as Error | undefined) ?? error;
    });
  };
}
