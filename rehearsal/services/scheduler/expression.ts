/** When a schedule is due: at one moment, again and again after a while, or at the times that a cron expression names. */
export type Expression =
  | { readonly kind: 'at'; readonly moment: number }
  | { readonly kind: 'rate'; readonly milliseconds: number }
  | { readonly kind: 'cron'; readonly cron: Cron; readonly timeZone: string };

/** Values that match, by field. */
interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly years: ReadonlySet<number>;
  day(day: CalendarDay): boolean;
}

interface CalendarDay {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** From 1, which is Sunday, as in AWS's expressions. */
  readonly weekday: number;
  readonly lastOfMonth: number;
}

const units: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads a schedule expression of EventBridge Scheduler.
 *
 * @param timeZone IANA name, for example `Europe/Berlin`; rates do not ask for it
 * @throws Error for one that the rehearsal does not understand
 */
export function parseExpression(text: string, timeZone: string): Expression {
  const [, kind = '', rest = ''] = /^(at|rate|cron)\((.*)\)$/.exec(text) ?? [];
  const [, count, unit = ''] = /^([1-9]\d*) (minute|hour|day)s?$/.exec(rest) ?? [];
  if (kind === 'rate' && count !== undefined) return { kind, milliseconds: Number(count) * (units[unit] ?? 0) };
  if (kind === 'cron') return { kind, cron: parseCron(rest), timeZone };
  const [, ...local] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::\d\d)?$/.exec(rest) ?? [];
  if (kind === 'at' && local.length > 0) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = local.map(Number);
    return { kind, moment: momentOf({ year, month, day, hour, minute }, timeZone) ?? Number.POSITIVE_INFINITY };
  }
  throw new Error(`the rehearsal does not understand the schedule expression ${text}.`);
}

/** How far ahead is looked for the next time. */
const MOST_DAYS = 5 * 366;

/**
 * The first time after a moment; undefined when there is none.
 *
 * @param after milliseconds since 1970, as the result
 */
export function nextTime(expression: Expression, after: number): number | undefined {
  if (expression.kind === 'at') return expression.moment > after ? expression.moment : undefined;
  if (expression.kind === 'rate') return after + expression.milliseconds;
  const { cron, timeZone } = expression;
  const start = localTime(after, timeZone);
  for (let ahead = 0; ahead < MOST_DAYS; ahead++) {
    const date = new Date(Date.UTC(start.year, start.month - 1, start.day + ahead));
    const day = calendarDay(date);
    if (!cron.years.has(day.year) || !cron.months.has(day.month) || !cron.day(day)) continue;
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        // Undefined for a time that the clock leaves out in spring: Scheduler leaves it out too.
        const moment = momentOf({ ...day, hour, minute }, timeZone);
        if (moment !== undefined && moment > after) return moment;
      }
    }
  }
  return undefined;
}

const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function parseCron(text: string): Cron {
  const words = text.trim().split(/\s+/);
  const [minutes = '', hours = '', dayOfMonth = '', months = '', dayOfWeek = '', years = ''] = words;
  if (words.length !== 6 || (dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error(`cron(${text}) needs six fields, and a question mark for the day of the month or of the week.`);
  }
  return {
    minutes: valuesOf(minutes, 0, 59),
    hours: valuesOf(hours, 0, 23),
    months: valuesOf(months, 1, 12, monthNames),
    years: valuesOf(years, 1970, 2199),
    day: dayOfMonth === '?' ? weekdayRule(dayOfWeek) : monthdayRule(dayOfMonth),
  };
}

function monthdayRule(text: string): Cron['day'] {
  if (text === 'L') return ({ day, lastOfMonth }) => day === lastOfMonth;
  const days = valuesOf(text, 1, 31);
  return ({ day }) => days.has(day);
}

function weekdayRule(text: string): Cron['day'] {
  const [, name = '', which] = /^([A-Z]+|[1-7])(?:#([1-5])|L)$/.exec(text) ?? [];
  if (name === '') {
    const weekdays = valuesOf(text, 1, 7, weekdayNames);
    return ({ weekday }) => weekdays.has(weekday);
  }
  const [wanted] = valuesOf(name, 1, 7, weekdayNames);
  return ({ day, weekday, lastOfMonth }) =>
    weekday === wanted && (which === undefined ? day > lastOfMonth - 7 : Math.ceil(day / 7) === Number(which));
}

/** The values of `*`, `5`, `1-5`, `0/15`, `MON,WED` and the like, in order. */
function valuesOf(text: string, first: number, last: number, names: readonly string[] = []): Set<number> {
  const numberOf = (word: string) => {
    const named = names.indexOf(word.toUpperCase());
    const number = named >= 0 ? named + first : Number(word);
    if (Number.isInteger(number) && number >= first && number <= last) return number;
    throw new Error(
      `the rehearsal does not understand “${text}” in a cron expression: ${first} to ${last} is allowed.`,
    );
  };
  const values = text.split(',').flatMap((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from = '', to] = range === '*' ? [String(first), String(last)] : range.split('-');
    const start = numberOf(from);
    const end = to === undefined ? (part.includes('/') ? last : start) : numberOf(to);
    if (!/^[1-9]\d*$/.test(step)) throw new Error(`the rehearsal does not understand the step of “${part}”.`);
    return Array.from(
      { length: Math.floor((end - start) / Number(step)) + 1 },
      (_, index) => start + index * Number(step),
    );
  });
  return new Set(values.sort((one, other) => one - other));
}

function calendarDay(date: Date): CalendarDay {
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  return {
    year,
    month,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    lastOfMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** The moment at which the clocks of a time zone show that time, the first where there are two; undefined without any. */
function momentOf({ year, month, day, hour, minute }: LocalTime, timeZone: string): number | undefined {
  const asUtc = Date.UTC(year, month - 1, day, hour, minute);
  const offsets = [asUtc - 86_400_000, asUtc + 86_400_000].map((moment) => offsetAt(moment, timeZone));
  return offsets
    .map((offset) => asUtc - offset)
    .filter((moment) => moment + offsetAt(moment, timeZone) === asUtc)
    .sort((one, other) => one - other)[0];
}

/** By how much the clocks of a time zone are ahead of UTC, in milliseconds. @throws RangeError for an unknown time zone */
function offsetAt(moment: number, timeZone: string): number {
  const { year, month, day, hour, minute } = localTime(moment, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(moment / 60_000) * 60_000;
}

function localTime(moment: number, timeZone: string): LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute') };
}
