/** Every personality of the sandbox. To add one, add a row to the file that it belongs to. */
import type { Personality } from '../personality.ts';
import { bulk } from './bulk.ts';
import { honest } from './honest.ts';
import { hostile } from './hostile.ts';
import { lookalikes } from './lookalikes.ts';
import { names } from './names.ts';
import { refusing } from './refusing.ts';
import { waiting } from './waiting.ts';

export const personalities: readonly Personality[] = [
  ...honest,
  ...refusing,
  ...waiting,
  ...lookalikes,
  ...names,
  ...hostile,
  ...bulk,
];
