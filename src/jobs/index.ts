export { type ChunkPlan, chunkRows, createChunkCutter, planOrdinals } from './chunks.ts';
export type * from './types.ts';
