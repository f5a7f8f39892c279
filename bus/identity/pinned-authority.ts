/** The certificate authority of a server nobody has vouched for yet, if it is the one the join token names. */
import { createConnection, type Socket } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { certificateFingerprint } from './certificates.ts';

const TIMEOUT_MS = 5_000;

/**
 * Looks at the certificates the NATS server at `host:port` shows, sends it nothing, and answers its authority (PEM).
 * Throws `unavailable` when there is no such server, `refused` when its authority is another.
 */
export async function pinnedAuthority(host: string, port: number, fingerprint: string, clock: Clock): Promise<string> {
  const socket = createConnection(port, host);
  try {
    const timeout = () => new PlimsollError('timeout', `No answer within ${TIMEOUT_MS} ms`);
    const chain = await withDeadline(clock, TIMEOUT_MS, shownCertificates(socket), timeout);
    const authority = chain.find((pem) => certificateFingerprint(pem) === fingerprint);
    if (authority) return authority;
  } catch (error) {
    throw new PlimsollError('unavailable', `Cannot reach a cluster at ${host}:${port}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
  throw new PlimsollError('refused', `The server at ${host}:${port} is not of the cluster this join token is for`);
}

async function shownCertificates(socket: Socket): Promise<string[]> {
  const greeting = await firstLine(socket);
  if (!greeting.startsWith('INFO ')) throw new Error('what answers there is no NATS server');
  const secured = await upgraded(socket);
  const chain: string[] = [];
  let certificate: DetailedPeerCertificate | undefined = secured.getPeerCertificate(true);
  while (certificate?.raw) {
    chain.push(pemOf(certificate.raw));
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (part: Buffer) => {
      text += part.toString('utf8');
      if (!text.includes('\r\n')) return;
      socket.removeListener('data', onData);
      socket.pause();
      resolve(text);
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
}

/** TLS without believing anybody: the caller compares fingerprints before a secret is sent. */
function upgraded(socket: Socket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({ socket, rejectUnauthorized: false }, () => resolve(secured));
    secured.once('error', reject);
    secured.once('close', () => reject(new Error('the server does not speak TLS')));
  });
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
