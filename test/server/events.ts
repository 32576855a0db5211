type Event = { readonly event: string; readonly data: string };

/** Server-sent events as they come (WHATWG HTML §9.2.6, as far as we need it). */
export const readEvents = async function* (response: Response): AsyncGenerator<Event> {
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    while (text.includes('\n\n')) {
      const block = text.slice(0, text.indexOf('\n\n'));
      text = text.slice(block.length + 2);
      const fields = Object.fromEntries(
        block
          .split('\n')
          .filter((line) => !line.startsWith(':'))
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      if (fields.event) yield { event: fields.event, data: fields.data ?? '' };
    }
  }
};
