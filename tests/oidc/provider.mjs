// A real identity provider for the sign-in tests: `node provider.mjs MODULES PORT REDIRECT_URI SECRET`.
// Its interaction page asks nobody anything: `?as=NAME` says who signs in, or `?as=nobody` that the person turns away.
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { join, resolve } from 'node:path'

const [modules, port, redirectUri, secret] = process.argv.slice(2)
const entry = join(resolve(modules), 'oidc-provider', 'lib', 'index.js')
const { default: Provider } = await import(pathToFileURL(entry).href)

const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'cairn tests',
      client_secret: secret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(context) {
    const { client, session } = context.oidc
    const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid')
    await grant.save()
    return grant
  },
})
const callback = provider.callback()

createServer(async (request, response) => {
  const address = new URL(request.url, issuer)
  if (!address.pathname.startsWith('/interaction/')) {
    callback(request, response)
    return
  }
  const name = address.searchParams.get('as')
  const result = name === 'nobody'
    ? { error: 'access_denied', error_description: 'the person turned away' }
    : { login: { accountId: name } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}).listen(Number(port), '127.0.0.1', () => console.log('ready'))
