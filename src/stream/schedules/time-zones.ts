/** Owns the time zones that this node knows: those of its runtime's tables, which may differ from those of other nodes. */

const UTC = 'UTC';
/** `Europe/Berlin`, `Etc/GMT+5`, `EST5EDT`: an area and a place, each as their tables spell them. */
const ZONE_NAME = /^[A-Z][A-Za-z0-9+_-]+(\/[A-Z][A-Za-z0-9+_-]*)*$/;
/** Zones in use at a time are few; above this the oldest must be looked up again. */
const MAX_KEPT_ZONES = 64;

const formats = new Map<string, Intl.DateTimeFormat>();

/** True if `zone` has the form of a name. Needs no tables, so every node says the same. */
export function isZoneName(zone: string): boolean {
  return ZONE_NAME.test(zone);
}

export function isKnownZone(zone: string): boolean {
  return zone === UTC || (isZoneName(zone) && formatOf(zone) !== undefined);
}

/** What the zone's clocks show beyond UTC at `timeMs`. The zone must be known. */
export function zoneOffsetMs(zone: string, timeMs: number): number {
  const format = zone === UTC ? undefined : formatOf(zone);
  if (format === undefined) return 0;
  const shown: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(timeMs)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(timeMs / 1000) * 1000;
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const kept = formats.get(zone);
  if (kept !== undefined) return kept;
  const format = makeFormat(zone);
  if (format === undefined) return undefined;
  if (formats.size >= MAX_KEPT_ZONES) formats.delete(formats.keys().next().value!);
  formats.set(zone, format);
  return format;
}

function makeFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined; // A RangeError is how Intl says that it has no such zone.
  }
}
