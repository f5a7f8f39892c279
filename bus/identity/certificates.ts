/** The cluster's own certificate authority and the certificates it makes for NATS servers. */
// x509 finds its own parts through decorators' metadata and leaves loading it to us.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

export interface Certificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const YEAR_MS = 365 * 24 * 3_600_000;
const AUTHORITY_YEARS = 30;
const SERVER_YEARS = 20;
/** Clocks of hosts differ: a certificate is valid from a day before it was made. */
const BACKDATE_MS = 24 * 3_600_000;

/** A new authority. It signs servers of this cluster only and is pinned by the join token. */
export async function createAuthority(clusterId: string, nowMs: number): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Plimsoll cluster ${clusterId}`,
    ...validity(nowMs, AUTHORITY_YEARS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

/** A server's certificate for these addresses and names. */
export async function createServerCertificate(
  authority: Certificate,
  hosts: readonly string[],
  nowMs: number,
): Promise<Certificate> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const alternatives = hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host }));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=Plimsoll NATS server',
    issuer: issuer.subject,
    ...validity(nowMs, SERVER_YEARS),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.privateKeyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // Routes between servers use the same certificate in both directions.
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
      await x509.AuthorityKeyIdentifierExtension.create(issuer, false),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

/** SHA-256 of the certificate itself, in hexadecimal: what a join token pins. */
export function certificateFingerprint(certificatePem: string): string {
  const der = new x509.X509Certificate(certificatePem).rawData;
  return createHash('sha256').update(new Uint8Array(der)).digest('hex');
}

function validity(nowMs: number, years: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATE_MS), notAfter: new Date(nowMs + years * YEAR_MS) };
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (!der) throw new Error('The authority has no private key');
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
