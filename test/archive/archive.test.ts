import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { ArchiveError, ArchiveReader, ArchiveWriter, FrameDecoder, FrameEncoder } from '../../src/archive/index.ts';

interface Message {
  readonly seq: number;
  readonly timestampUs: number;
  readonly subject: string;
  readonly headers: string;
  readonly payload: string;
}

interface Content {
  readonly state: object;
  readonly consumers: readonly (readonly [name: string, json: object])[];
  readonly messages: readonly Message[];
}

const MAX_MESSAGE_BYTES = 64 * 1024;

async function write({ state, consumers, messages }: Content, blockMessages = 3): Promise<Buffer> {
  const writer = new ArchiveWriter();
  const encoder = new FrameEncoder();
  const frames: Buffer[] = [];
  writer.state(state);
  for (const [name, json] of consumers) writer.consumer(name, json);
  for (const [index, message] of messages.entries()) {
    const parts = [message.subject, message.headers, message.payload].map((part) => Buffer.from(part));
    const [subject, headers] = parts as [Buffer, Buffer, Buffer];
    const buffer = Buffer.concat([Buffer.from('before'), ...parts]);
    const headersStart = 6 + subject.length;
    const payloadStart = headersStart + headers.length;
    writer.message({ ...message, buffer, subjectStart: 6, headersStart, payloadStart, end: buffer.length });
    if (index % blockMessages === 0) frames.push(await encoder.encode(writer.take()));
  }
  writer.end();
  frames.push(await encoder.encode(writer.take()));
  return Buffer.concat(frames);
}

/** Reads the archive in pieces of `step` bytes. */
function read(archive: Buffer, step: number): Content & { readonly complete: boolean } {
  let state: object = {};
  const consumers: [string, object][] = [];
  const messages: Message[] = [];
  const listener = {
    state: (json: Buffer) => {
      state = JSON.parse(json.toString()) as object;
    },
    consumer: (name: string, json: Buffer) => {
      consumers.push([name, JSON.parse(json.toString()) as object]);
    },
    message: (message: { seq: number; timestampUs: number; subject: Buffer; headers: Buffer; payload: Buffer }) => {
      const { seq, timestampUs, subject, headers, payload } = message;
      const parts = { subject: subject.toString(), headers: headers.toString(), payload: payload.toString() };
      messages.push({ seq, timestampUs, ...parts });
    },
  };
  const reader = new ArchiveReader(listener, MAX_MESSAGE_BYTES);
  const decoder = new FrameDecoder();
  for (let at = 0; at < archive.length; at += step) {
    decoder.decode(archive.subarray(at, at + step), (data) => {
      reader.read(data);
    });
  }
  return { state, consumers, messages, complete: reader.complete && decoder.atBoundary };
}

const PLAIN = { noNullPrototype: true } as const;
const message = fc.record(
  {
    seq: fc.integer({ min: 1, max: 2 ** 40 }),
    timestampUs: fc.integer({ min: 0, max: 4_000_000_000_000_000 }),
    subject: fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,8}){0,3}$/),
    headers: fc.constantFrom('', 'NATS/1.0\r\nA: b\r\n\r\n'),
    payload: fc.oneof(
      fc.string(),
      fc.nat(2000).map((length) => 'compressible '.repeat(length / 13)),
    ),
  },
  PLAIN,
);
const consumer = fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.record({ config: fc.string() }, PLAIN));
const content: fc.Arbitrary<Content> = fc.record(
  {
    state: fc.record({ messages: fc.nat(), last_seq: fc.nat() }, PLAIN),
    consumers: fc.array(consumer, { maxLength: 3 }),
    messages: fc
      .uniqueArray(message, { selector: ({ seq }) => seq, maxLength: 20 })
      .map((messages) => messages.sort((a, b) => a.seq - b.seq)),
  },
  PLAIN,
);

test('an archive is read back as it was written, in pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 400 }), async (written, step) => {
      assert.deepEqual(read(await write(written), step), { ...written, complete: true });
    }),
    { numRuns: 150 },
  );
});

test('an archive that was cut short is never complete', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), async (written, part) => {
      const archive = await write(written);
      assert.equal(read(archive.subarray(0, Math.floor(archive.length * part)), 100).complete, false);
    }),
    { numRuns: 100 },
  );
});

test('a damaged archive is refused, and what was read before is what was written', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.nat(), fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128), async (written, at, flip) => {
      const archive = await write(written);
      archive[at % archive.length]! ^= flip;
      try {
        const found = read(archive, 64);
        assert.equal(found.complete && found.messages.length !== written.messages.length, false);
        for (const each of found.messages)
          assert.deepEqual(
            each,
            written.messages.find(({ seq }) => seq === each.seq),
          );
      } catch (error) {
        assert.ok(error instanceof ArchiveError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('arbitrary bytes are refused without more memory than they take', () => {
  const identifier = Buffer.from('ff060000' + Buffer.from('S2sTwO').toString('hex'), 'hex');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, framed) => {
      try {
        const archive = framed ? Buffer.concat([identifier, bytes]) : Buffer.from(bytes);
        assert.equal(read(archive, 50).complete, false);
      } catch (error) {
        assert.ok(error instanceof ArchiveError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('a block may copy from itself, near and far, and repeat the last distance', () => {
  // Literal "abcd", a copy of 6 from 4 back, S2's repeat of 4, and a far copy of 5 from 14 back.
  const block = Buffer.from([19, 3 << 2, 0x61, 0x62, 0x63, 0x64, 0x01 | (2 << 2), 4, 0x01, 0, 0x02 | (4 << 2), 14, 0]);
  const decoded = decodeChunk(block, 'abcdabcdabcdab' + 'abcda');
  assert.equal(decoded, 'abcdabcdabcdababcda');
});

/** Wraps a compressed block of known content into a chunk, and reads it. */
function decodeChunk(block: Buffer, expected: string): string {
  let found = '';
  const decoder = new FrameDecoder();
  const chunk = (crc: number): Buffer => {
    const header = Buffer.from('ff060000' + Buffer.from('S2sTwO').toString('hex') + '00000000', 'hex');
    header.writeUIntLE(block.length + 4, header.length - 3, 3);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc);
    return Buffer.concat([header, checksum, block]);
  };
  decoder.decode(chunk(maskedCrc(expected)), (data) => {
    found += data.toString();
  });
  return found;
}

/** CRC32C bit by bit, masked as the framing asks. */
function maskedCrc(text: string): number {
  let crc = 0xffff_ffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  const value = ~crc >>> 0;
  return (((value >>> 15) | (value << 17)) + 0xa282_ead8) >>> 0;
}
