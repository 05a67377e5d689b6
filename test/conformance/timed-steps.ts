/** Owns the steps of scenarios about publishes that are refused, and about what happens by time. */
import { waitFor } from '../harness/wait-for.ts';
import { answers, assertContains, publishes, type Step } from './scenario.ts';

/** A publish, and the error that it gets. */
export function refuses(
  subject: string,
  headers: string | undefined,
  error: readonly [code: number, errCode: number, description: string],
  payload = 'x',
): Step {
  const [code, errCode, description] = error;
  return publishes(subject, payload, headers, { error: { code, err_code: errCode, description }, seq: 0 });
}

/** A publish that is stored at `seq`. */
export function stores(subject: string, seq: number, headers?: string, payload = 'x'): Step {
  return publishes(subject, payload, headers, { seq });
}

/** Waits until the stream's state contains `expected`. */
export function becomes(stream: string, expected: object): Step {
  return async (client) => {
    let last: unknown;
    await waitFor(`the state of ${stream}`, async () => {
      const [reply] = await client.request(`$JS.API.STREAM.INFO.${stream}`, '{"subjects_filter":">"}');
      last = (JSON.parse(reply?.payload ?? '{}') as { readonly state?: unknown }).state;
      return contains(last, expected);
    }).catch((error: unknown) => {
      assertContains(last, expected, `the state of ${stream}`);
      throw error;
    });
  };
}

/** The message at `seq` has exactly these headers, by line. */
export function holds(stream: string, seq: number, headers: readonly string[], message: object = {}): Step {
  const block = headers.length === 0 ? '' : `NATS/1.0\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
  const hdrs = Buffer.from(block).toString('base64');
  return answers(`STREAM.MSG.GET.${stream}`, { seq }, { message: { seq, hdrs, ...message } });
}

function contains(actual: unknown, expected: object): boolean {
  try {
    assertContains(actual, expected, '');
    return true;
  } catch {
    return false;
  }
}
