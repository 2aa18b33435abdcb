/** What can be said of a receiver's URI while it is typed. The API judges; this only saves a round. */

export interface UriOpinion {
  /** It can not be saved like this. */
  readonly error?: string;
  /** It is refused unless the configuration allows it. */
  readonly warning?: string;
}

const LONGEST = 2048;
const OWN_NETWORK =
  /^(localhost|.*\.localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[(::1|f[cd]|fe80))/;

export function opinionOf(text: string): UriOpinion {
  if (text === '') return { error: 'A receiver needs a URI.' };
  if (/\s/.test(text)) return { error: 'A URI holds no spaces.' };
  if (text.length > LONGEST) return { error: `It has ${text.length} characters; ${LONGEST} are the most.` };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { error: 'Give the whole URI, from https:// on.' };
  let uri: URL;
  try {
    uri = new URL(text);
  } catch {
    return { error: 'This is no URI: look at the name of the host and at the port.' };
  }
  if (uri.protocol !== 'https:' && uri.protocol !== 'http:') return { error: 'Only https is spoken.' };
  if (uri.username !== '' || uri.password !== '') {
    return { error: 'Leave out the user and the password; a header of the receiver can carry them.' };
  }
  if (uri.protocol === 'http:') {
    return { warning: 'It is not https: this is refused unless receivers.allow_http is set.' };
  }
  if (OWN_NETWORK.test(uri.hostname)) {
    return {
      warning:
        'The host is in a private network: deliveries are refused unless receivers.allow_private_networks has it.',
    };
  }
  return {};
}
