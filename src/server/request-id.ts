import { randomBytes } from 'node:crypto';

/** Unlike any of another process, counted within this one: a header for people, not a secret. */
export const createRequestIds = (): (() => string) => {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
};
