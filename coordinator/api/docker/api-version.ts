/** The version prefix of paths, `/v1.NN/...`: any from 1.24 to 1.51 is served alike, and no prefix too. */
import type { RequestHandler } from 'express';
import { ApiError } from './responses.ts';

/** The highest version we speak; below 1.52, where /system/df changes its shape, and enough for every client since 20.10. */
export const API_VERSION = '1.51';
export const MIN_API_VERSION = '1.24';

/** Sets the engine's usual headers and cuts the prefix off; texts and their types are the engine's. */
export function negotiateVersion(programVersion: string): RequestHandler {
  return (req, res, next) => {
    res.setHeader('Api-Version', API_VERSION);
    res.setHeader('Docker-Experimental', 'false');
    res.setHeader('Ostype', 'linux');
    res.setHeader('Server', `Plimsoll/${programVersion} (linux)`);
    const [prefix, major, minor] = /^\/v(\d+)\.(\d+)(?=\/|\?|$)/.exec(req.url) ?? [];
    if (prefix === undefined) return next();
    const asked = `${major}.${minor}`;
    if (isBefore(API_VERSION, asked)) {
      throw new ApiError(400, `client version ${asked} is too new. Maximum supported API version is ${API_VERSION}`);
    }
    if (isBefore(asked, MIN_API_VERSION)) {
      res.statusCode = 400;
      res.setHeader('Content-Type', 'text/plain; charset=utf-8');
      res.end(
        `client version ${asked} is too old. Minimum supported API version is ${MIN_API_VERSION}, ` +
          'please upgrade your client to a newer version\n',
      );
      return;
    }
    req.url = req.url.slice(prefix.length) || '/';
    next();
  };
}

function isBefore(left: string, right: string): boolean {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor < rightMajor || (leftMajor === rightMajor && leftMinor < rightMinor);
}
