/** Few members or many: nobody can tell them from a Set and a Map. */
import { describe, expect, it } from 'vitest';
import { FewMap, FewSet } from './few.ts';

/** Every way through four steps with three members: adding (or setting anew) and taking away. */
const steps = ['a', 'b', 'c'].flatMap((member) => [
  { does: 'add', member },
  { does: 'delete', member },
]);
const walks = Array.from({ length: steps.length ** 4 }, (_, number) =>
  [0, 1, 2, 3].map((place) => {
    const step = steps[Math.trunc(number / steps.length ** place) % steps.length];
    if (!step) throw new Error('no such step');
    return step;
  }),
);

describe('FewSet', () => {
  it(`is a Set after each of ${walks.length} walks`, () => {
    for (const walk of walks) {
      const few = new FewSet<string>();
      const set = new Set<string>();
      for (const { does, member } of walk) {
        if (does === 'delete') expect(few.delete(member)).toBe(set.delete(member));
        else {
          few.add(member);
          set.add(member);
        }
        expect([...few], JSON.stringify(walk)).toEqual([...set]);
        expect(few.size).toBe(set.size);
        expect(few.has(member)).toBe(set.has(member));
      }
      few.clear();
      expect([...few, few.size]).toEqual([0]);
    }
  });

  it.each([1, 2, 5])('bears that each of its %i members leaves while it is walked through', (count) => {
    const few = new FewSet<number>();
    for (let member = 0; member < count; member++) few.add(member);
    const met: number[] = [];
    for (const member of few) {
      few.delete(member);
      met.push(member);
    }
    expect(met).toHaveLength(count);
    expect(few.size).toBe(0);
  });

  it('holds what is nothing to others', () => {
    const few = new FewSet<undefined>();
    expect(few.has(undefined)).toBe(false);
    few.add(undefined);
    expect([few.size, few.has(undefined), ...few]).toEqual([1, true, undefined]);
  });
});

describe('FewMap', () => {
  it(`is a Map after each of ${walks.length} walks`, () => {
    for (const walk of walks) {
      const few = new FewMap<string, number>();
      const map = new Map<string, number>();
      for (const [value, { does, member }] of walk.entries()) {
        if (does === 'delete') expect(few.delete(member)).toBe(map.delete(member));
        else {
          few.set(member, value);
          map.set(member, value);
        }
        expect([...few], JSON.stringify(walk)).toEqual([...map]);
        expect(few.size).toBe(map.size);
        expect(few.get(member)).toBe(map.get(member));
      }
    }
  });
});
