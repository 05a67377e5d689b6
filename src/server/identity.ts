/** Owns who this process is to clients: keys that are new at every start, in the form that NATS tools know. */
import { generateKeyPairSync } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** First bytes that make an encoded key begin with that letter. */
const PREFIX_SERVER = 13 << 3;
const PREFIX_CURVE = 23 << 3;
const CRC16_POLYNOMIAL = 0x1021;
const RAW_KEY_BYTES = 32;

export interface ServerIdentity {
  /** 56 characters, beginning with N. */
  readonly serverId: string;
  /** 56 characters, beginning with X. */
  readonly curveKey: string;
}

export function createServerIdentity(): ServerIdentity {
  return {
    serverId: encodeKey(PREFIX_SERVER, rawKey(generateKeyPairSync('ed25519').publicKey)),
    curveKey: encodeKey(PREFIX_CURVE, rawKey(generateKeyPairSync('x25519').publicKey)),
  };
}

/** The key itself is the end of its DER encoding. */
function rawKey(key: { export(options: { type: 'spki'; format: 'der' }): Buffer }): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(-RAW_KEY_BYTES);
}

/** Base32, without padding, of prefix, key, and their CRC16 (little-endian). */
function encodeKey(prefix: number, key: Buffer): string {
  const body = Buffer.concat([Buffer.of(prefix), key]);
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(crc16(body));
  return base32(Buffer.concat([body, checksum]));
}

function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? CRC16_POLYNOMIAL : 0)) & 0xffff;
  }
  return crc;
}

function base32(bytes: Buffer): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += ALPHABET[(value >> (bits - 5)) & 31]!;
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31]! : text;
}
