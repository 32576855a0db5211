import { readOperation } from '../../graphql/run.ts';
import type { Progress, Row } from '../gateway.ts';

export const verifyEmail = readOperation('VerifyEmail');
export const startBulkJob = readOperation('StartBulkJob');
export const bulkJobProgress = readOperation('BulkJobProgress');
export const bulkJobResults = readOperation('BulkJobResults');

export type Watched = { bulkJobProgress: Progress };
export type Results = { bulkJobResults: { cursor: string; results: Row[] } };
