/** The JSON of each part of a multipart response, as it comes. @throws when it ends without its closing boundary */
export const readParts = async function* (response: Response): AsyncGenerator<unknown> {
  const boundary = /boundary="?([^";]+)/.exec(response.headers.get('content-type') ?? '')?.[1] ?? '';
  const delimiter = `\r\n--${boundary}`;
  let text = '';
  let isOpen = false;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    while (text.includes(delimiter)) {
      const part = text.slice(0, text.indexOf(delimiter));
      text = text.slice(part.length + delimiter.length);
      if (isOpen) yield JSON.parse(part.slice(part.indexOf('\r\n\r\n')));
      isOpen = true;
    }
    if (isOpen && text.startsWith('--')) return;
  }
  throw new Error('the parts broke off');
};
