/** Names of images as Docker shortens and completes them: `docker.io/library/web` is `web:latest`. Pure. */

/** The short name with its tag; one with a digest stays as it is. */
export function familiarImageName(reference: string): string {
  const short = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
  if (short.includes('@')) return short;
  return lastPart(short).includes(':') ? short : `${short}:latest`;
}

/** What `docker tag` takes apart. */
export function splitReference(reference: string): { readonly repository: string; readonly tag: string } {
  const name = familiarImageName(reference);
  const colon = name.lastIndexOf(':');
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
