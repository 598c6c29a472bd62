import { describe, expect, it } from 'vitest';
import { spansOf, timeScale } from '../../../console/web/time-scale.ts';

const second = 1_000;
const hour = 3_600 * second;

describe('the line of time', () => {
  it('is even where something always happens', () => {
    const { at, gaps } = timeScale([
      { from: 0, to: 60 * second },
      { from: 60 * second, to: 100 * second },
    ]);
    expect([0, 50, 100].map((time) => at(time * second))).toEqual([0, 0.5, 1]);
    expect(gaps).toEqual([]);
  });

  it('draws an hour of waiting short, so that what happened around it is still seen', () => {
    const { at, gaps } = timeScale([
      { from: 0, to: 10 * second },
      { from: hour, to: hour + 10 * second },
    ]);
    expect(gaps).toHaveLength(1);
    const [gap] = gaps;
    expect(gap).toMatchObject({ from: 10 * second, to: hour });
    expect((gap?.right ?? 1) - (gap?.left ?? 0)).toBeLessThan(0.06);
    expect(at(10 * second)).toBeGreaterThan(0.45);
    expect(at(hour)).toBeLessThan(0.55);
    expect(at(hour / 2)).toBeCloseTo(0.5, 2);
  });

  it('leaves short gaps as long as they were', () => {
    const { at, gaps } = timeScale([
      { from: 0, to: 45 * second },
      { from: 50 * second, to: 100 * second },
    ]);
    expect(gaps).toEqual([]);
    expect(at(47.5 * second)).toBeCloseTo(0.475);
  });

  it('takes spans in any order, overlapping, and of no length', () => {
    const { at } = timeScale([
      { from: 40 * second, to: 100 * second },
      { from: 100 * second, to: 100 * second },
      { from: 0, to: 50 * second },
    ]);
    expect(at(25 * second)).toBe(0.25);
    expect(at(100 * second)).toBe(1);
  });

  it('draws what lies outside at the ends, and has a place for everything before anything happened', () => {
    const { at } = timeScale([{ from: 10 * second, to: 20 * second }]);
    expect([at(0), at(hour)]).toEqual([0, 1]);
    expect(timeScale([]).at(5)).toBe(0);
    expect(timeScale([{ from: 5, to: 5 }]).at(5)).toBe(0);
  });

  it('never runs backwards', () => {
    const { at } = timeScale(
      [3, 900, 901, 905, 4000].map((from) => ({ from: from * second, to: (from + 2) * second })),
    );
    const places = Array.from({ length: 400 }, (_, index) => at(index * 10 * second));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
});

describe('a wait for a person', () => {
  const moment = (milliseconds: number) => new Date(milliseconds).toISOString();
  const wait = (endedAt: string | undefined) => ({
    startedAt: moment(0),
    endedAt,
    timeline: [{ startedAt: moment(0), endedAt, asks: true }],
  });

  it.each([
    ['that is open', undefined],
    ['that was answered', moment(hour)],
  ])('%s is drawn short, like any stretch in which nothing happens', (_, endedAt) => {
    const work = { from: hour, to: hour + 10 * second };
    const { at, gaps } = timeScale([...spansOf(wait(endedAt), hour), work]);
    expect(gaps).toMatchObject([{ from: 0, to: hour }]);
    expect(at(hour)).toBeLessThan(0.06);
  });

  it('is as long as it was when it was none', () => {
    const [span] = spansOf({ timeline: [{ startedAt: moment(0), endedAt: moment(hour), asks: false }] }, hour);
    expect(span).toEqual({ from: 0, to: hour });
  });
});
