import type { MaintenanceWindow } from './plugin-update-input.ts';

/**
 * Minutes until the window opens; 0 while it is open. Counted on the wall clock of its zone, so on the two days of a
 * change of clocks it may be an hour off until the change has passed.
 */
export function minutesUntilOpen({ start, end, timeZone }: MaintenanceWindow, now: Date): number {
  const at = minuteOf(wallClock(now, timeZone));
  const [opens, closes] = [minuteOf(start), minuteOf(end)];
  const open = opens < closes ? at >= opens && at < closes : at >= opens || at < closes;
  return open ? 0 : (opens - at + day) % day;
}

/** How long it is open. */
export function minutesOf({ start, end }: Pick<MaintenanceWindow, 'start' | 'end'>): number {
  return (minuteOf(end) - minuteOf(start) + day) % day;
}

const day = 24 * 60;

/** `HH:MM` in the zone. */
export function wallClock(moment: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    moment,
  );
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
