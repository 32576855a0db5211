/** What parsing costs an address, by kind, and what refusing ten megabytes costs. Run alone: `node bench/parse.ts`. */
import { parseAddress, printCanonical, suggestAddress } from '../src/address/index.ts';
import { isDisposable, isFree, isKnownDomain, providerByExchange } from '../src/catalog/index.ts';

const mixes: Readonly<Record<string, readonly string[]>> = {
  ASCII: [
    'ada@example.com',
    'Ada.Lovelace+news@Mail.Example.co.uk',
    'j.r.hartley@fly-fishing.example.org',
    'customer/department=shipping@example.com',
    '1234567890@123.example.net',
  ],
  quoted: [
    '"ada lovelace"@example.com',
    '"ada"@example.com',
    '"a\\"b\\\\c"@example.com',
    '"@"@example.org',
    '"a..b"@example.net',
  ],
  'UTF-8': ['jörg@example.com', '用户名@example.com', 'пользователь@example.com', 'jo\u0308rg.e@example.com'],
  IDN: ['ada@bücher.example', 'ada@例え.jp', 'ada@xn--bcher-kva.example', 'ada@почта.example'],
  faulty: [
    'ada',
    'ada@',
    'a..b@example.com',
    'ada@localhost',
    'ada@-example.com',
    'ada @example.com',
    'ada@[192.0.2.1]',
    'a\u202eda@example.com',
  ],
};

/** Kept from being optimized away. */
let sink = 0;

/** Nanoseconds a call: the best of five rounds of about 50 ms, after a warm-up as long as one. */
const measure = <Item>(items: readonly Item[], work: (item: Item) => unknown): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 6; round++) {
    const startNs = process.hrtime.bigint();
    const endNs = startNs + 50_000_000n;
    let calls = 0;
    while (process.hrtime.bigint() < endNs) {
      for (let i = 0; i < 200; i++) {
        for (const item of items) if (work(item) !== null) sink++;
      }
      calls += 200 * items.length;
    }
    if (round > 0) best = Math.min(best, Number(process.hrtime.bigint() - startNs) / calls);
  }
  return best;
};

const printRow = (name: string, ns: number): void =>
  console.log(`  ${name.padEnd(34)} ${ns.toFixed(0).padStart(7)} ns`);

export async function benchParse(): Promise<void> {
  console.log('address: parseAddress, by kind');
  for (const [name, texts] of Object.entries(mixes)) printRow(name, measure(texts, parseAddress));
  const strangers = Array.from({ length: 5_000 }, (_, n) => `ada@bücher${n}.example`);
  printRow('IDN, never the same name soon again', measure(strangers, parseAddress));

  const huge = ['a', '@', '"', 'é'].map((character) => character.repeat(10_000_000));
  printRow('10 MB, refused', measure(huge, parseAddress));

  const parsed = Object.values(mixes)
    .flat()
    .map(parseAddress)
    .flatMap((result) => (result.kind === 'address' ? [result.address] : []));
  console.log('address and catalog: what is said of an address without the network');
  printRow('printCanonical', measure(parsed, printCanonical));
  printRow(
    'suggestAddress',
    measure(parsed, (address) => suggestAddress(address, isKnownDomain)),
  );
  printRow(
    'isDisposable and isFree',
    measure(parsed, ({ domain }) => isDisposable(domain) || isFree(domain)),
  );
  printRow('providerByExchange', measure(['alt1.aspmx.l.google.com', 'mx.example.com'], providerByExchange));
  if (sink === 0) throw new Error('nothing was parsed');
  console.log();
}

if (import.meta.main) await benchParse();
