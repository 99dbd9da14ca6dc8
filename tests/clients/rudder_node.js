// Sends one message of each type, and then enough for several batches, with RudderStack's client for Node.
const RudderAnalytics = require('@rudderstack/rudder-sdk-node')

const Client = RudderAnalytics.default || RudderAnalytics
const client = new Client(process.env.KEY, { dataPlaneUrl: process.env.URL, flushAt: 20, flushInterval: 100 })

let open = 0
let failed = 0
const count = (error) => {
  open -= 1
  if (error) {
    console.error(error)
    failed += 1
  }
  if (open === 0) process.exit(failed ? 1 : 0)
}
const send = (kind, message) => {
  open += 1
  client[kind](message, count)
}

const userId = 'müşteri-1'
send('identify', { userId, traits: { email: 'ayse@minder.example' } })
send('track', { userId, event: 'Sipariş Tamamlandı', properties: { total: 1249.9, currency: 'TRY' } })
send('page', { userId, name: 'Ana Sayfa' })
send('screen', { userId, name: 'Sepet' })
send('group', { userId, groupId: 'g-1', traits: { name: 'Otel' } })
send('alias', { userId, previousId: 'a-1' })
for (let number = 0; number < 100; number++) {
  send('track', { anonymousId: `a-${number}`, event: 'Ürün Görüntülendi', properties: { number } })
}
client.flush()
