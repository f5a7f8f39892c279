/** Which strings name an image: the grammar of distribution/reference, `[domain/]path[:tag][@digest]`. Pure. */

const domainPart = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${domainPart}(?:\\.${domainPart})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathPart = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const reference = new RegExp(`^(?:${domain}/)?${pathPart}(?:/${pathPart})*(?::\\w[\\w.-]{0,127})?(?:@${digest})?$`);
const MAX_LENGTH = 1024;

/** True for a name with optional tag and digest; a bare 64-digit image id is no name, as in Docker. */
export function isImageReference(text: string): boolean {
  return text.length <= MAX_LENGTH && !/^[a-f0-9]{64}$/.test(text) && reference.test(text);
}
