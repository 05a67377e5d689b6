/**
 * Owns subjects as byte strings. A subject is a run of bytes; the protocol does not say that they are UTF-8. Where one must
 * be a string (a key of a map) it has one UTF-16 unit per byte, latin1, so nothing is corrupted on the way in and out, broken
 * UTF-8 included. Configurations hold text: it becomes a byte string where it is compared with subjects, and nowhere else.
 */

/** The byte string of a text: what its UTF-8 bytes are as a subject. */
export function byteString(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}
