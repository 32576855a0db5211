/** Every length that an address has, and the runaway that each of ours prevents. */

/** RFC 5321 §4.5.3.1.1; counted in UTF-8 (RFC 6531 §3.3). */
export const mostLocalPartOctets = 64;
/** RFC 1035 §2.3.4: 255 octets on the wire are 253 as text. Counted in A-labels. */
export const mostDomainOctets = 253;
/** RFC 1035 §2.3.4. Counted in the A-label. */
export const mostLabelOctets = 63;
/** A path is 256 octets with its angle brackets (RFC 5321 §4.5.3.1.3, RFC 3696 erratum 1690). */
export const mostAddressOctets = 254;

/**
 * UTF-16 code units that are read at all. The runaway: megabytes handed to a parser that runs for every key pressed, or
 * to IDNA tables. Needless backslashes and decomposed accents make an address longer to read than to send, by about
 * twice; what is longer than this is refused unread.
 */
export const longestInput = 512;
