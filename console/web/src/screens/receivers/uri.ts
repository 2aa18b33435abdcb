/** What can be said of a receiver's URI while it is typed. The API judges; this only saves a round. */

const LONGEST = 2048;

/** Why it can not be saved like this, if so. */
export function faultOf(text: string): string | undefined {
  if (text === '') return 'A receiver needs a URI.';
  if (/\s/.test(text)) return 'A URI holds no spaces.';
  if (text.length > LONGEST) return `It has ${text.length} characters; ${LONGEST} are the most.`;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'Give the whole URI, from https:// on.';
  let uri: URL;
  try {
    uri = new URL(text);
  } catch {
    return 'This is no URI: look at the name of the host and at the port.';
  }
  if (uri.protocol !== 'https:' && uri.protocol !== 'http:') return 'Only https is spoken.';
  if (uri.username !== '' || uri.password !== '') {
    return 'Leave out the user and the password; a header of the receiver can carry them.';
  }
  return undefined;
}
