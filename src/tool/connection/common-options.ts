/** Owns the options that every command has: which server, who is asking, and how the answer is shown. */
import { duration, flag, list, text, type Input, type Parameter } from '../parameters/index.ts';

const file = (help: string, also: string): Parameter<string | undefined> =>
  text(help, { placeholder: 'FILE', also: [also] });

export const COMMON_OPTIONS = {
  server: list('Server to connect to; several are tried in turn ($MILLRACE_URL, $NATS_URL, nats://127.0.0.1:4222)', {
    short: 's',
    placeholder: 'URL',
  }),
  context: text('Saved settings to use ($NATS_CONTEXT, the selected ones)', { placeholder: 'NAME' }),
  user: text('User name ($NATS_USER)', { placeholder: 'NAME' }),
  password: text('Password ($NATS_PASSWORD)'),
  token: text('Token ($NATS_TOKEN)'),
  creds: file('File with a JWT and its seed ($NATS_CREDS)', 'credentials'),
  nkey: file('File with an nkey seed ($NATS_NKEY)', 'nkey-seed'),
  tlsCert: file('Certificate to show ($NATS_CERT)', 'tlscert'),
  tlsKey: file('Key of that certificate ($NATS_KEY)', 'tlskey'),
  tlsCa: file("Authorities to trust for the server's certificate ($NATS_CA)", 'tlsca'),
  tlsFirst: flag('Begin with TLS, before the server has said anything', { also: ['tlsfirst'] }),
  tlsInsecure: flag("Do not check the server's certificate"),
  timeout: duration('How long to wait for an answer ($NATS_TIMEOUT, 5s)'),
  domain: text('JetStream domain ($NATS_JS_DOMAIN)', { placeholder: 'NAME', also: ['js-domain'] }),
  jsApiPrefix: text('Prefix of the JetStream API, if it is imported under another ($NATS_JS_API_PREFIX)', {
    placeholder: 'SUBJECT',
  }),
  inboxPrefix: text('Prefix of inboxes ($NATS_INBOX_PREFIX, _INBOX)', { placeholder: 'SUBJECT' }),
  connectionName: text('Name of the connection, as the server lists it', { placeholder: 'NAME' }),
  json: flag('Print JSON: the answer itself, or one line for each message', { short: 'j' }),
} as const;

export type CommonOptions = Input<typeof COMMON_OPTIONS>;
