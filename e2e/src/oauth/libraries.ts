import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { CALLBACK, configured, insecure, ISSUER } from './applications.ts';

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Who an application is: it proves that with its key, and binds its tokens to `dpopKeys` if it has any. */
export interface Identity {
  id: string;
  privateKey: oauth.CryptoKey;
  dpopKeys?: oauth.CryptoKeyPair;
}

type Parameters = Record<string, string>;
type Tokens = oauth.TokenEndpointResponse;
type Device = oauth.DeviceAuthorizationResponse;

/** An application as one library makes it: everything that applications do at auth. */
export interface Application {
  metadata: oauth.AuthorizationServer;
  /** Pushes a request with a PKCE challenge. `page` is where its user signs in. */
  begin(parameters: Parameters): Promise<{ page: URL; verifier: string }>;
  redeem(callback: URL, verifier: string): Promise<Tokens>;
  refresh(refreshToken: string): Promise<Tokens>;
  beginOnDevice(parameters: Parameters): Promise<Device>;
  /** Once the user has answered. */
  redeemDevice(device: Device): Promise<Tokens>;
  clientCredentials(parameters: Parameters): Promise<Tokens>;
  exchange(parameters: Parameters): Promise<Tokens>;
  introspect(token: string): Promise<oauth.IntrospectionResponse>;
  revoke(token: string): Promise<void>;
  logoutPage(parameters: Parameters): URL;
  /** GETs from a service, with a proof if the token is bound. */
  get(url: URL, token: string): Promise<Response>;
}

/** The libraries under test, by name. Neither takes an ID token without checking its signature. */
export const LIBRARIES: Record<string, (identity: Identity) => Promise<Application>> = {
  'openid-client': withOpenidClient,
  oauth4webapi: withOauth4webapi,
};

async function withOpenidClient({ id, privateKey, dpopKeys }: Identity): Promise<Application> {
  const config = await configured(id, oidc.PrivateKeyJwt(privateKey));
  oidc.enableNonRepudiationChecks(config);
  const bound = dpopKeys && { DPoP: oidc.getDPoPHandle(config, dpopKeys) };
  return {
    metadata: config.serverMetadata(),
    begin: async (parameters) => {
      const verifier = oidc.randomPKCECodeVerifier();
      const challenge = await challengeFor(verifier, oidc.calculatePKCECodeChallenge);
      const request = { ...parameters, ...challenge };
      return { page: await oidc.buildAuthorizationUrlWithPAR(config, request, bound), verifier };
    },
    redeem: (callback, pkceCodeVerifier) =>
      oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier }, undefined, bound),
    refresh: (refreshToken) => oidc.refreshTokenGrant(config, refreshToken, undefined, bound),
    beginOnDevice: (parameters) => oidc.initiateDeviceAuthorization(config, parameters),
    redeemDevice: (device) => oidc.pollDeviceAuthorizationGrant(config, device, undefined, bound),
    clientCredentials: (parameters) => oidc.clientCredentialsGrant(config, parameters, bound),
    exchange: (parameters) => oidc.genericGrantRequest(config, EXCHANGE, parameters, bound),
    introspect: (token) => oidc.tokenIntrospection(config, token),
    revoke: (token) => oidc.tokenRevocation(config, token),
    logoutPage: (parameters) => oidc.buildEndSessionUrl(config, parameters),
    get: (url, token) =>
      oidc.fetchProtectedResource(config, token, url, 'GET', undefined, undefined, bound),
  };
}

async function withOauth4webapi({ id, privateKey, dpopKeys }: Identity): Promise<Application> {
  const issuer = new URL(ISSUER);
  const found = await oauth.discoveryRequest(issuer, insecure);
  const metadata = await oauth.processDiscoveryResponse(issuer, found);
  const client: oauth.Client = { client_id: id };
  const us = [metadata, client] as const;
  const proven = [...us, oauth.PrivateKeyJwt(privateKey)] as const;
  const options = { ...insecure, ...(dpopKeys && { DPoP: oauth.DPoP(client, dpopKeys) }) };

  const answered = <T>(ask: () => Promise<Response>, read: Reader<T>): Promise<T> =>
    withNonce(async () => read(...us, await ask()));

  const granted = (ask: () => Promise<Response>, read: Reader<Tokens>): Promise<Tokens> =>
    answered(ask, async (_server, _client, response) => {
      const tokens = await read(...us, response);
      if (tokens.id_token)
        await oauth.validateApplicationLevelSignature(metadata, response, insecure);
      return tokens;
    });

  return {
    metadata,
    begin: async (parameters) => {
      const verifier = oauth.generateRandomCodeVerifier();
      const challenge = await challengeFor(verifier, oauth.calculatePKCECodeChallenge);
      const request = { ...parameters, ...challenge, client_id: id, response_type: 'code' };
      const { request_uri } = await answered(
        () => oauth.pushedAuthorizationRequest(...proven, request, options),
        oauth.processPushedAuthorizationResponse,
      );
      const query = { client_id: id, request_uri };
      return { page: address(metadata.authorization_endpoint, query), verifier };
    },
    redeem: (callback, verifier) => {
      const answer = oauth.validateAuthResponse(...us, callback);
      return granted(
        () => oauth.authorizationCodeGrantRequest(...proven, answer, CALLBACK, verifier, options),
        oauth.processAuthorizationCodeResponse,
      );
    },
    refresh: (refreshToken) =>
      granted(
        () => oauth.refreshTokenGrantRequest(...proven, refreshToken, options),
        oauth.processRefreshTokenResponse,
      ),
    beginOnDevice: (parameters) =>
      answered(
        () => oauth.deviceAuthorizationRequest(...proven, parameters, insecure),
        oauth.processDeviceAuthorizationResponse,
      ),
    redeemDevice: ({ device_code }) =>
      granted(
        () => oauth.deviceCodeGrantRequest(...proven, device_code, options),
        oauth.processDeviceCodeResponse,
      ),
    clientCredentials: (parameters) =>
      granted(
        () => oauth.clientCredentialsGrantRequest(...proven, parameters, options),
        oauth.processClientCredentialsResponse,
      ),
    exchange: (parameters) =>
      granted(
        () => oauth.genericTokenEndpointRequest(...proven, EXCHANGE, parameters, options),
        oauth.processGenericTokenEndpointResponse,
      ),
    introspect: (token) =>
      answered(
        () => oauth.introspectionRequest(...proven, token, insecure),
        oauth.processIntrospectionResponse,
      ),
    revoke: async (token) =>
      oauth.processRevocationResponse(await oauth.revocationRequest(...proven, token, insecure)),
    logoutPage: (parameters) => address(metadata.end_session_endpoint, parameters),
    get: (url, token) =>
      withNonce(() =>
        oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, options),
      ),
  };
}

type Reader<T> = (
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  response: Response,
) => Promise<T>;

/** Asks again when the server wants its nonce in the proof (RFC 9449 section 8). openid-client does so itself. */
function withNonce<T>(ask: () => Promise<T>): Promise<T> {
  return ask().catch((error: unknown) => {
    if (oauth.isDPoPNonceError(error)) return ask();
    throw error;
  });
}

async function challengeFor(verifier: string, hash: (verifier: string) => Promise<string>) {
  return { code_challenge: await hash(verifier), code_challenge_method: 'S256' };
}

function address(endpoint: string | undefined, query: Parameters): URL {
  return new URL(`${endpoint ?? ''}?${new URLSearchParams(query).toString()}`);
}
