// A real OpenID Connect provider (panva's oidc-provider, certified), with one client and anybody who signs in.
// Told by PORT and BACK where it listens and where it sends browsers back to; says "ready" when it does.
"use strict";

const { Provider } = require("oidc-provider");

const port = Number(process.env.PORT);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "tekil",
      client_secret: "a secret of both",
      redirect_uris: [process.env.BACK],
      post_logout_redirect_uris: [process.env.AFTER],
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      scope: "openid profile groups",
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
  },
  pkce: { required: () => true },
  ttl: { ClientCredentials: 61 },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, groups: id === "ayse" ? ["cdp-admins"] : [] }),
  }),
});

provider.listen(port, "127.0.0.1", () => console.log("ready"));
