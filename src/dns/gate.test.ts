import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createGate, type GateOptions } from './gate.ts';

const open = (options: Partial<GateOptions> = {}) =>
  createGate({ maxRunning: 2, maxWaiting: 100, waitTimeoutMs: 60_000, ...options });
const { signal } = new AbortController();

/** A task that ends when it is told to. */
const held = () => Promise.withResolvers<string>();

describe('gate', () => {
  it('never runs more than its ceiling, however tasks come and end, and forgets nobody', async () => {
    const gate = open({ maxRunning: 3, maxWaiting: 1_000 });
    let running = 0;
    let most = 0;
    let ended = 0;
    const task = async () => {
      running += 1;
      most = Math.max(most, running);
      for (let turn = 0; turn < ended % 4; turn += 1) await null;
      running -= 1;
      ended += 1;
    };
    const outcomes: Promise<unknown>[] = [];
    for (let wave = 0; wave < 50; wave += 1) {
      for (let index = 0; index <= wave % 7; index += 1) outcomes.push(gate.run(task, signal));
      await null;
    }
    await Promise.all(outcomes);
    expect(most).toBe(3);
    expect(ended).toBe(outcomes.length);
  });

  it('gives the place of a task that fails to the next', async () => {
    const gate = open({ maxRunning: 1 });
    const failing = gate.run(() => Promise.reject(new Error('a bug')), signal);
    const next = gate.run(async () => 'ran', signal);
    await expect(failing).rejects.toThrow('a bug');
    expect(await next).toBe('ran');
  });

  it('is full at once beyond its line, and open again afterwards', async () => {
    const gate = open({ maxRunning: 1, maxWaiting: 1 });
    const first = held();
    const outcomes = [gate.run(() => first.promise, signal), gate.run(async () => 'second', signal)];
    expect(await gate.run(async () => 'third', signal)).toBe('full');
    first.resolve('first');
    expect(await Promise.all(outcomes)).toEqual(['first', 'second']);
    expect(await gate.run(async () => 'fourth', signal)).toBe('fourth');
  });

  it('lets go of one whose signal fires, and of the signal', async () => {
    const gate = open({ maxRunning: 1 });
    const first = held();
    const leaver = new AbortController();
    const stayer = new AbortController();
    const ran = gate.run(() => first.promise, stayer.signal);
    const left = gate.run(async () => 'never', leaver.signal);
    const stayed = gate.run(async () => 'stayed', stayer.signal);
    leaver.abort();
    expect(await left).toBe('full');
    expect(await gate.run(async () => 'never', leaver.signal)).toBe('full');
    first.resolve('first');
    expect(await Promise.all([ran, stayed])).toEqual(['first', 'stayed']);
    expect(getEventListeners(stayer.signal, 'abort')).toEqual([]);
  });
});
