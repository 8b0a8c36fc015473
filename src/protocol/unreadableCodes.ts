/**
 * The codes of a transport's errors for an answer that came and is not read. Both count as `sent`. With the `status` of the
 * answer beside the code, the client can tell a result that is too large from a gateway's page that is.
 */

/** The answer is larger than `maxResponseBytes`. */
export const RESPONSE_TOO_LARGE = 'ERR_RESPONSE_TOO_LARGE';

/** The answer has a content coding that the transport cannot decode. */
export const UNKNOWN_CODING = 'ERR_UNKNOWN_CODING';
