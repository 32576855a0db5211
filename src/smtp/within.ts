/**
 * The same, but not for longer than that.
 * @throws when it takes longer: what it comes to then is nobody's any more
 */
export const within = async <Value>(ms: number, promise: Promise<Value>, what: string): Promise<Value> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what} within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};
