/** The package brings no types of its own. */
declare module 'tr46' {
  type Options = {
    readonly checkBidi?: boolean;
    readonly checkHyphens?: boolean;
    readonly checkJoiners?: boolean;
    readonly ignoreInvalidPunycode?: boolean;
    readonly transitionalProcessing?: boolean;
    readonly useSTD3ASCIIRules?: boolean;
  };
  export const toASCII: (
    domain: string,
    options: Options & { readonly verifyDNSLength?: boolean },
  ) => string | null;
  export const toUnicode: (
    domain: string,
    options: Options,
  ) => { readonly domain: string; readonly error: boolean };
}
