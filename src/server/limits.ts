/** Every ceiling of the HTTP side, with the runaway it prevents. */

/**
 * 10,000 addresses of 254 octets, quoted and separated, are 2.6 MB; the rest is room for escapes and the document.
 * The runaway: a body that fills memory before anybody has looked at it.
 */
export const mostBodyOctets = 4 * 1024 * 1024;

/** Read and dropped after a body was refused. The runaway: an upload without end that is read to its end. */
export const mostDroppedOctets = 64 * 1024 * 1024;

/** The largest of our own documents has about 200 tokens. The runaway: a parser busy for seconds with one document. */
export const mostTokens = 2_000;

/**
 * Levels of fields; introspection as GraphiQL asks it has 15. Our deepest own document has 5. The runaway: a circle of
 * types (an exchange's provider's exchanges …) that is walked until the heap is full.
 */
export const mostDepth = 16;

/** Fields that are renamed, fragments unfolded. The runaway: one expensive field asked a thousand times in one request. */
export const mostAliases = 50;

/** Fields of the operation itself. The runaway: as many look-ups as names fit in a document, by `email`, `node`, `domain`. */
export const mostRootFields = 20;

/** Directives of a document, fragments unfolded. The runaway: `@skip` a thousand times on one field, each evaluated. */
export const mostDirectives = 50;

/**
 * Fields of an operation, fragments unfolded; our widest own document has 40. The runaway: twenty fragments of which
 * each spreads the next one twice are 60 lines and a million fields.
 */
export const mostFields = 1_000;

/**
 * Characters of document text that are remembered with what was parsed from it. The runaway: a client that sends a
 * new document of megabytes each time fills memory.
 */
export const mostRememberedDocumentText = 4 * 1024 * 1024;

/** Sockets open at once; issue of scale is 10,000 idle subscriptions. The runaway: file descriptors used up. */
export const mostConnections = 16_384;

/** Operations that one WebSocket may have under way. The runaway: one socket that carries what a thousand may. */
export const mostOperationsPerSocket = 100;

/**
 * Octets that wait to be sent to one WebSocket. The runaway: a client that pings without ever reading, and whose pongs
 * pile up here.
 */
export const mostBufferedOctets = 16 * 1024 * 1024;

/** How often a stream or a socket that is silent says that it lives; proxies cut off what is silent for 30 to 60 s. */
export const heartbeatMs = 12_000;

/**
 * How long a peer may leave what was sent to it unread, on any connection. The runaway: a stopped reader that holds
 * its socket, its subscription and its source for ever.
 */
export const unreadMs = 60_000;

/** Persisted documents, and the characters of all of them. The runaway: a folder that was meant to be another one. */
export const mostPersistedOperations = 10_000;
export const mostPersistedText = 16 * 1024 * 1024;

/** Header lines of a request. The runaway: megabytes of headers held for each of many connections. */
export const mostHeaders = 100;

/** From the first octet to the end of the headers (slowloris: a header a minute, on ten thousand sockets). */
export const headersTimeoutMs = 10_000;

/** From the first octet to the end of the body. 4 MB in 60 s is a bad mobile line. */
export const requestTimeoutMs = 60_000;

/** How long an idle connection is kept for its next request; longer than the usual proxy's 60 s. */
export const keepAliveTimeoutMs = 65_000;

/** How long `close` waits for requests under way before it cuts them off. */
export const closeGraceMs = 5_000;

/** Of a multipart request: a file of 10 MB, its document and the boundaries. The runaway: it is held in memory. */
export const mostMultipartOctets = 10 * 1024 * 1024 + 64 * 1024;

/**
 * Of the parts of a multipart request: `operations`, `map` and one file. The runaway: 10 MB that are a hundred thousand
 * parts, or one JSON.
 */
export const partLimits = { fieldNameSize: 100, fieldSize: 262_144, fields: 2, files: 1, parts: 3 } as const;

/** An upload may last for hours, and may not stand still: the runaway is a socket that is held for nothing. */
export const uploadStallMs = 30_000;

/** How long what still comes of a refused upload is dropped, so that the answer is heard and not a reset. */
export const mostLingeringMs = 5_000;

/** How long a link to results works. */
export const linkLifeSeconds = 3_600;
