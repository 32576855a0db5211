/**
 * SANDBOX ONLY. A self-signed pair that is published here and therefore protects nothing: the sandbox's mail
 * servers show it on loopback, so that STARTTLS can be tried where no openssl is installed. Nobody may trust it, and
 * no client of ours does: certificates of mail servers are reported, not required.
 */
import { createSecureContext, type SecureContext } from 'node:tls';

/** Subject mx.sandbox.test, valid from 2026 for a hundred years. */
export const sandboxCertificate = `-----BEGIN CERTIFICATE-----
MIICBTCCAaugAwIBAgIUdmCBIrlCz5MR2Q1u3ufgD3or1rAwCgYIKoZIzj0EAwIw
QTEYMBYGA1UEAwwPbXguc2FuZGJveC50ZXN0MSUwIwYDVQQKDBxyY3B0IHNhbmRi
b3gsIGZvciB0ZXN0cyBvbmx5MCAXDTI2MTEyMzIyMTY0NVoYDzIxMjYxMDMwMjIx
NjQ1WjBBMRgwFgYDVQQDDA9teC5zYW5kYm94LnRlc3QxJTAjBgNVBAoMHHJjcHQg
c2FuZGJveCwgZm9yIHRlc3RzIG9ubHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQ4S8OgzRVsnPeSnjPmmZnETGSB9MX98feFPvU2t3u8dRogU371Uh46zVCLRD60
qxULRUV+gaBDfOktcmWeh/QYo38wfTAdBgNVHQ4EFgQUA9odDakzCxNdiibgjnsB
d93mkk8wHwYDVR0jBBgwFoAUA9odDakzCxNdiibgjnsBd93mkk8wDwYDVR0TAQH/
BAUwAwEB/zAqBgNVHREEIzAhgg9teC5zYW5kYm94LnRlc3SCDiouc2FuZGJveC50
ZXN0MAoGCCqGSM49BAMCA0gAMEUCICYwsruuC+Ww+XifbWNHsjkLaNFXdEqBhO4g
azPq5PSxAiEA7NB82l/EeiLJX5NS315vVxZW8kEW2R5jBvEfHYjTX2U=
-----END CERTIFICATE-----
`;

export const sandboxKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgH0ra6ptDl8wYkbRz
eEKvT8AYMSymhUsL8wSRnQX9y+GhRANCAAQ4S8OgzRVsnPeSnjPmmZnETGSB9MX9
8feFPvU2t3u8dRogU371Uh46zVCLRD60qxULRUV+gaBDfOktcmWeh/QY
-----END PRIVATE KEY-----
`;

/** @param chainLength times that the certificate stands in its own chain: more than one is of no use to anybody */
export const createSandboxContext = (chainLength = 1): SecureContext =>
  createSecureContext({ cert: sandboxCertificate.repeat(chainLength), key: sandboxKey });
