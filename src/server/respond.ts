import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendNodeResponse } from '@whatwg-node/server';
import type { EventStreams } from './event-stream.ts';
import { describeFault, type Logger } from './log.ts';
import { refuseRequest } from './malformed.ts';
import type { Yoga } from './yoga.ts';

/**
 * Node's request to Yoga, and Yoga's answer to Node's response. Yoga has one function for both, which keeps an answer as
 * long as it is being sent, and makes for each request a signal that nobody here listens to (see `caller.ts`).
 */
export const createResponder =
  (options: {
    readonly yoga: Yoga;
    readonly eventStreams: EventStreams;
    readonly logger: Logger;
  }): ((request: IncomingMessage, response: ServerResponse) => Promise<void>) =>
  async (request, response) => {
    const { yoga, eventStreams, logger } = options;
    try {
      const answer = await yoga.handleNodeRequest(request, { req: request, res: response } as never);
      if (!eventStreams.send(answer, request, response))
        await sendNodeResponse(answer, response, request, true);
    } catch (fault) {
      logger.error('request failed', describeFault(fault));
      if (response.headersSent) response.destroy();
      else
        refuseRequest(response, {
          status: '500 Internal Server Error',
          code: 'INTERNAL',
          message: 'Internal error. The log has the details.',
        });
    }
  };
