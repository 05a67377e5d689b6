/** Owns how durations are spelled in error texts: as Go prints them. */

const MS_PER_HOUR = 3_600_000;
const MS_PER_MINUTE = 60_000;

/** `1h0m0s`, `1.5s`, `250ms`, `1µs`. */
export function goDurationText(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  if (milliseconds < 0) return `-${goDurationText(-milliseconds)}`;
  if (milliseconds < 1) {
    const nanos = Math.round(milliseconds * 1_000_000);
    return nanos < 1000 ? `${nanos}ns` : `${nanos / 1000}µs`;
  }
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const hours = Math.floor(milliseconds / MS_PER_HOUR);
  const minutes = Math.floor((milliseconds % MS_PER_HOUR) / MS_PER_MINUTE);
  const seconds = (milliseconds % MS_PER_MINUTE) / 1000;
  const minutesText = hours > 0 || minutes > 0 ? `${minutes}m` : '';
  return `${hours > 0 ? `${hours}h` : ''}${minutesText}${seconds}s`;
}
