/** How things are called. */
import { getNamedType, isInputObjectType } from 'graphql';
import type { Rule } from '../rule.ts';

const camelCase = /^[a-z][A-Za-z0-9]*$/;
const pascalCase = /^[A-Z][A-Za-z0-9]*$/;
const screamingCase = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;
/** A boolean asks a question: what the thing is, has or does. */
const question = /^(?:is|has|accepts|supports|requires|tells)[A-Z]|^exists$/;

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

export const names: readonly Rule[] = [
  {
    name: 'camel-case',
    about: 'Fields, arguments and directives are written in camelCase.',
    check: ({ kind, it }) =>
      kind === 'type' || kind === 'enumValue' || camelCase.test(it.name) ? null : 'is not camelCase',
    good: 'type A { someField(anArgument: Int): Int } input AInput { smtpUtf8: Int } directive @some on FIELD',
    bad: [
      ['type A { some_field: Int }', 'A.some_field'],
      ['type A { Some: Int }', 'A.Some'],
      ['type A { a(an_argument: Int): Int }', 'A.a(an_argument:)'],
      ['input AInput { Some: Int }', 'AInput.Some'],
      ['directive @Some on FIELD', '@Some'],
      ['directive @some(an_argument: Int) on FIELD', '@some(an_argument:)'],
    ],
  },
  {
    name: 'pascal-case',
    about: 'Types are written in PascalCase.',
    check: ({ kind, it }) => (kind !== 'type' || pascalCase.test(it.name) ? null : 'is not PascalCase'),
    good: 'type SomeType { a: Int } scalar URL',
    bad: [
      ['type someType { a: Int }', 'someType'],
      ['enum Some_Type { A }', 'Some_Type'],
    ],
  },
  {
    name: 'screaming-case',
    about: 'Values of enums are written in SCREAMING_CASE.',
    check: ({ kind, it }) =>
      kind !== 'enumValue' || screamingCase.test(it.name) ? null : 'is not SCREAMING_CASE',
    good: 'enum A { SOME_VALUE SMTPUTF8_UNSUPPORTED A }',
    bad: [
      ['enum A { someValue }', 'A.someValue'],
      ['enum A { SOME__VALUE }', 'A.SOME__VALUE'],
      ['enum A { SOME_ }', 'A.SOME_'],
    ],
  },
  {
    name: 'boolean-asks',
    about: 'A field that is true or false asks: is…, has…, accepts…, supports…, requires…, tells…, exists.',
    check: (element) =>
      element.kind === 'field' &&
      getNamedType(element.it.type).name === 'Boolean' &&
      !question.test(element.it.name)
        ? 'is a Boolean whose name asks nothing'
        : null,
    except: { 'Verification.fromCache': 'clients select it by this name (schema/operations)' },
    good: 'type A { isA: Boolean! hasB: Boolean exists: Boolean! acceptsMail: Boolean }',
    bad: [
      ['type A { valid: Boolean! }', 'A.valid'],
      ['type A { island: Boolean! }', 'A.island'],
      ['interface A { cached: [Boolean!]! }', 'A.cached'],
    ],
  },
  {
    name: 'input-suffix',
    about: 'Input types end in Input, and nothing else does.',
    check: ({ kind, it }) =>
      kind === 'type' && isInputObjectType(it) !== it.name.endsWith('Input')
        ? isInputObjectType(it)
          ? 'is an input type and does not end in Input'
          : 'ends in Input and is no input type'
        : null,
    good: 'input AInput { a: Int } type B { a: Int }',
    bad: [
      ['input A { a: Int }', 'A'],
      ['type AInput { a: Int }', 'AInput'],
    ],
  },
  {
    name: 'no-stutter',
    about: 'No field begins with the name of its type: the type says that already.',
    check: (element) =>
      element.kind === 'field' &&
      (element.it.name === lowerFirst(element.parent.name) ||
        new RegExp(`^${lowerFirst(element.parent.name)}[A-Z]`).test(element.it.name))
        ? `repeats the name of ${element.parent.name}`
        : null,
    good: 'type Domain { name: Int domains: Int } type Query { domain: Domain }',
    bad: [
      ['type Domain { domainName: Int }', 'Domain.domainName'],
      ['type Domain { domain: Int }', 'Domain.domain'],
    ],
  },
];
