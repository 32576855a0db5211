import type { Rule } from '../rule.ts';
import { access } from './access.ts';
import { costs } from './costs.ts';
import { growth } from './growth.ts';
import { names } from './names.ts';
import { operations } from './operations.ts';
import { shapes } from './shapes.ts';

export const rules: readonly Rule[] = [...names, ...shapes, ...costs, ...access, ...operations, ...growth];
