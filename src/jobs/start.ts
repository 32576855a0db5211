/**
 * A list becomes a job: its source is found, a repeated request recognised by its idempotency key, and the rows go into
 * the store as they are read, numbered, deduplicated by canonical mailbox and sorted by domain. Whatever goes wrong, no
 * job is there and nothing of the list stays; an upload stays, so that the caller may correct the request.
 *
 * An upload is given to one start at a time and is erased once its job is there. A crash between the two leaves it to
 * the same request repeated, which finds its job by the key and erases then, or to the upload's expiry.
 */
import { randomUUID } from 'node:crypto';
import type { StartJob, StartOutcome } from './door.ts';
import { hashAddresses, hashContent, hashInput } from './input-hash.ts';
import { IntakeFault } from './intake/fault.ts';
import { isPassing } from './patience.ts';
import type { JobStore, Upload, UploadStore } from './ports.ts';
import { type ListContent, openList, TooManyRows } from './source.ts';
import type { IntakeRow } from './types.ts';

export type StarterOptions = {
  readonly store: Pick<JobStore, 'createJob' | 'findByIdempotencyKey'>;
  /** Null: there are none here. */
  readonly uploads: Pick<UploadStore, 'readUpload' | 'openUpload' | 'useUpload'> | null;
  /** One sentence when a webhook cannot be used; null when it can. */
  readonly checkWebhook: (url: string, secret: string) => string | null;
  readonly now: () => Date;
  readonly retentionMs: number;
  readonly maxRows: number;
  readonly maxUploadBytes: number;
  /** The process ends: lists are read no further. */
  readonly signal: AbortSignal;
  /** Told what the store said; the caller only hears that there is trouble. */
  readonly onError: (error: unknown) => void;
};

/** Runs what has the same name one after another. A name of null has no turn to wait for. */
const createTurns = () => {
  const underWay = new Map<string, Promise<unknown>>();
  return async <Result>(name: string | null, work: () => Promise<Result>): Promise<Result> => {
    if (name === null) return work();
    while (underWay.has(name)) await underWay.get(name)?.catch(() => undefined);
    const doing = work().finally(() => underWay.delete(name));
    underWay.set(name, doing);
    return doing;
  };
};

type Found =
  | { readonly kind: 'found'; readonly content: ListContent; readonly upload: Upload | null }
  | Extract<StartOutcome, { readonly kind: 'noUpload' | 'uploadIncomplete' }>;

export const createStarter = (options: StarterOptions): ((input: StartJob) => Promise<StartOutcome>) => {
  const { store, uploads, now, maxRows, signal, onError } = options;
  const limits = { maxRows, maxBytes: options.maxUploadBytes, signal };
  const inTurn = createTurns();

  /** Where the octets of a used upload were, nothing is; its hash still tells a repeated request. */
  const findContent = async ({ source, owner, idempotencyKey }: StartJob): Promise<Found> => {
    if (source.kind === 'file')
      return { kind: 'found', content: { ...source, kind: 'content' }, upload: null };
    if (source.kind === 'addresses') return { kind: 'found', content: source, upload: null };
    const upload = (await uploads?.readUpload(source.uploadId)) ?? null;
    if (uploads === null || upload === null || upload.owner !== owner || upload.expiresAt <= now())
      return { kind: 'noUpload' };
    if (upload.state === 'OPEN') return { kind: 'uploadIncomplete', receivedBytes: upload.receivedBytes };
    if (upload.state === 'USED' && (upload.sha256 === null || idempotencyKey === null))
      return { kind: 'noUpload' };
    const { id, fileName } = upload;
    return {
      kind: 'found',
      content: { kind: 'content', fileName, readContent: () => uploads.openUpload(id) },
      upload,
    };
  };

  /** A key needs the hash of the list before the list itself, and not every source of addresses can be read twice. */
  const collect = async (addresses: AsyncIterable<string> | Iterable<string>): Promise<readonly string[]> => {
    const collected: string[] = [];
    for await (const address of addresses) {
      collected.push(address);
      // Enough to refuse it.
      if (collected.length > maxRows) break;
    }
    return collected;
  };

  const findExisting = async (key: string | null, inputHash: string | null): Promise<StartOutcome | null> => {
    const found = key === null ? null : await store.findByIdempotencyKey(key);
    if (found === null) return null;
    return found.inputHash === inputHash
      ? { kind: 'existing', job: found.job }
      : { kind: 'idempotencyConflict' };
  };

  /** The job is there: that its upload could not be erased is no reason to say otherwise. */
  const use = async (upload: Upload | null, sha256: string | null): Promise<void> => {
    if (upload?.state === 'COMPLETE') await uploads?.useUpload(upload.id, sha256).catch(onError);
  };

  /** Reads the list into the store. Null when somebody else was faster with the same key. */
  const create = async (
    input: StartJob,
    content: ListContent,
    key: string | null,
    inputHash: string | null,
  ): Promise<StartOutcome | null> => {
    const { rows, readShape } = await openList(content, input.column, limits);
    try {
      const first = await rows.next();
      if (first.done) return { kind: 'emptyList' };
      const all = async function* (): AsyncGenerator<IntakeRow> {
        yield first.value;
        yield* rows;
      };
      const createdAt = now();
      const wishedMs = (input.retentionSeconds ?? Number.POSITIVE_INFINITY) * 1_000;
      const outcome = await store.createJob(
        {
          id: randomUUID(),
          owner: input.owner,
          name: input.name,
          createdAt,
          expiresAt: new Date(createdAt.getTime() + Math.min(wishedMs, options.retentionMs)),
          idempotencyKey: key,
          inputHash,
          readShape,
          maxAgeSeconds: input.maxAgeSeconds,
          webhook: input.webhook,
        },
        all(),
      );
      return outcome.kind === 'created' ? { kind: 'started', job: outcome.job } : null;
    } finally {
      await rows.return();
    }
  };

  const start = async (input: StartJob, key: string | null): Promise<StartOutcome> => {
    const found = await findContent(input);
    if (found.kind !== 'found') return found;
    const { upload } = found;
    let { content } = found;
    let listHash: string | null = null;
    if (key !== null && content.kind === 'addresses') {
      const addresses = await collect(content.addresses);
      content = { kind: 'addresses', addresses };
      listHash = hashAddresses(addresses);
    } else if (key !== null && content.kind === 'content')
      listHash = upload?.sha256 ?? (await hashContent(content.readContent()));
    const inputHash = listHash === null ? null : hashInput(input, listHash);
    let outcome = await findExisting(key, inputHash);
    if (outcome === null && upload?.state === 'USED') return { kind: 'noUpload' };
    outcome ??= await create(input, content, key, inputHash);
    outcome ??= (await findExisting(key, inputHash)) ?? { kind: 'idempotencyConflict' };
    if (outcome.kind === 'started' || outcome.kind === 'existing') await use(upload, listHash);
    return outcome;
  };

  const outcomeOf = (error: unknown): StartOutcome => {
    if (error instanceof TooManyRows) return { kind: 'tooManyRows', limit: maxRows };
    if (error instanceof IntakeFault) return { kind: 'badFile', code: error.code, message: error.message };
    if (!isPassing(error)) throw error;
    onError(error);
    return { kind: 'storeTrouble' };
  };

  return async (input) => {
    const { webhook, source, idempotencyKey, owner } = input;
    const fault = webhook && options.checkWebhook(webhook.url, webhook.secret);
    if (fault) return { kind: 'badWebhook', message: fault };
    // One caller's keys say nothing of another's.
    const key = idempotencyKey === null ? null : JSON.stringify([owner, idempotencyKey]);
    return inTurn(key, () =>
      inTurn(source.kind === 'upload' ? `upload ${source.uploadId}` : null, () =>
        start(input, key).catch(outcomeOf),
      ),
    );
  };
};
