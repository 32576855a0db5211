import { buildSchema, Kind } from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../graphql/index.ts';
import { checkRules, elementsOf, findChanges, isDescribed, readChangeset, rules } from './index.ts';

/** `@asks(what:)`, `@sized(field:)` and `@granted(to:)` in a sample stand for what the code declares in `extensions`. */
const directives =
  '"A." directive @asks("A." what: String!) on FIELD_DEFINITION "A." directive @sized("A." field: String) on FIELD_DEFINITION "A." directive @granted("A." to: String!) on FIELD_DEFINITION';

const build = (sdl: string) => {
  const sample = buildSchema(`${sdl} ${directives.replaceAll('"A."', '"A sample."')}`);
  for (const element of elementsOf(sample))
    if (element.kind === 'field')
      for (const { name, arguments: args = [] } of element.it.astNode?.directives ?? []) {
        const value = args[0]?.value;
        const text = value?.kind === Kind.STRING ? { field: value.value } : {};
        if (name.value === 'asks') element.it.extensions = { cost: text.field };
        else if (name.value === 'sized') element.it.extensions = { size: { argument: 'first', ...text } };
        else if (name.value === 'granted') element.it.extensions = { access: text.field };
      }
  return sample;
};

describe('the rules', () => {
  test('have names of their own', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  });

  test.each(rules)('$name: $about', ({ except: _, ...rule }) => {
    expect(checkRules(build(rule.good), [rule])).toEqual([]);
    for (const [sdl, path] of rule.bad)
      expect(checkRules(build(sdl), [rule]), sdl).toEqual([
        {
          rule: rule.name,
          path,
          message: expect.stringMatching(/^(?:is|has|asks|gives|takes|may|does|says|repeats|ends) /),
        },
      ]);
  });

  test('an exception lets one path pass, and is a fault when nothing needs it', () => {
    const [rule] = rules;
    if (!rule) throw new Error('no rule');
    const sample = build('type A { Some: Int Other: Int }');
    const except = { 'A.Some': 'it is old', 'A.gone': 'it was old' };
    expect(checkRules(sample, [{ ...rule, except }])).toEqual([
      { rule: rule.name, path: 'A.Other', message: 'is not camelCase' },
      { rule: rule.name, path: 'A.gone', message: 'is an exception that nothing needs' },
    ]);
  });

  test('the schema keeps to all of them', () => {
    expect(checkRules(schema, rules)).toEqual([]);
  });

  test('each has looked at something', () => {
    const all = elementsOf(schema);
    expect(all.length).toBeGreaterThan(500);
    expect(all.filter(isDescribed)).toHaveLength(all.length);
    expect(new Set(all.map(({ path }) => path)).size).toBe(all.length);
  });
});

const released = `type Query { a(b: Int = 1): Int c: E d(e: I): U } enum E { F G } input I { j: Int }
  union U = V | W type V { x: Int! } type W { x: Int }`;

const breaking: readonly (readonly [sdl: string, change: RegExp])[] = [
  [released.replace('c: E ', ''), /^FIELD_REMOVED: .*Query\.c/],
  [released.replace('x: Int!', 'x: Int'), /^FIELD_CHANGED_KIND: .*V\.x/],
  [released.replace('c: E', 'c: [E]'), /^FIELD_CHANGED_KIND: .*Query\.c/],
  [released.replace('F G', 'F'), /^VALUE_REMOVED_FROM_ENUM: .*E\.G/],
  [released.replace('(b: Int = 1)', ''), /^ARG_REMOVED: .*Query\.a\(b:\)/],
  [released.replace('b: Int = 1', 'b: Int = 2'), /^ARG_DEFAULT_VALUE_CHANGE: .*Query\.a\(b:\)/],
  [released.replace('b: Int = 1', 'b: String = "1"'), /^ARG_CHANGED_KIND: /],
  [released.replace('(b: Int = 1)', '(b: Int = 1, z: Int!)'), /^REQUIRED_ARG_ADDED: .*Query\.a\(z:\)/],
  [released.replace('j: Int', 'j: Int k: Int!'), /^REQUIRED_INPUT_FIELD_ADDED: .*I\.k/],
  [released.replace('V | W', 'V'), /^TYPE_REMOVED_FROM_UNION: /],
  [released.replace('enum E { F G }', 'scalar E'), /^TYPE_CHANGED_KIND: /],
];

const harmless: readonly string[] = [
  released,
  released.replace('c: E', 'c: E z: Int'),
  released.replace('x: Int }', 'x: Int! }'),
  released.replace('F G', 'F G H'),
  released.replace('j: Int', 'j: Int k: Int'),
  released.replace('b: Int = 1', 'b: Int = 1, z: Int'),
  released.replace('V | W', 'V | W | Z').concat(' type Z { x: Int }'),
  `"Described." ${released}`,
  released.replace('c: E', 'c: E @deprecated(reason: "Use a.")'),
];

describe('what changes', () => {
  test.each(breaking.map(([sdl, change]) => [change, sdl] as const))('%s breaks', (change, sdl) => {
    const found = findChanges(released, sdl, []);
    expect(found.unnamed).toEqual([expect.stringMatching(change)]);
    const changeset = readChangeset(
      'why.md',
      `# A change\n\nNobody could use it for anything.\n\n- ${found.unnamed[0]}\n`,
    );
    expect(findChanges(released, sdl, [changeset])).toMatchObject({
      unnamed: [],
      named: found.unnamed,
      badChangesets: [],
    });
  });

  test.each(harmless.entries().toArray())('harmless %i breaks nothing', (_index, sdl) => {
    expect(findChanges(released, sdl, [])).toMatchObject({ unnamed: [], named: [], badChangesets: [] });
  });

  const sdl = released.replace('c: E ', '');
  const [change] = findChanges(released, sdl, []).unnamed;

  test.each([
    [
      'another change',
      '- FIELD_REMOVED: Field Query.a was removed.\n\nBecause nobody needs it.',
      [/^why\.md names a change that is none/],
    ],
    [
      'the change in other words',
      '- FIELD_REMOVED: Query.c\n\nBecause nobody needs it.',
      [/^why\.md names a change that is none/],
    ],
    ['a change without a reason', `# Because\n\n- ${change}`, [/^why\.md does not say why/]],
    ['a reason without a change', 'Because nobody needs it.', [/^why\.md names no change/]],
    ['nothing', '', [/does not say why/, /names no change/]],
  ])('a changeset that names %s', (_name, text, faults) => {
    expect(findChanges(released, sdl, [readChangeset('why.md', text)]).badChangesets).toEqual(
      faults.map((fault) => expect.stringMatching(fault)),
    );
  });

  test('a text that is no schema is no change', () => {
    expect(() => findChanges('type', released, [])).toThrow('Syntax Error');
  });
});
