// Sends one message of each type, and then enough for several batches, with Segment's client for Node.
const { Analytics } = require('@segment/analytics-node')

const failed = []
const analytics = new Analytics({ writeKey: process.env.KEY, host: process.env.URL, flushAt: 20, flushInterval: 100 })
analytics.on('error', (error) => failed.push(error))

const userId = 'müşteri-1'
analytics.identify({ userId, traits: { email: 'ayse@minder.example' } })
analytics.track({ userId, event: 'Sipariş Tamamlandı', properties: { total: 1249.9, currency: 'TRY' } })
analytics.page({ userId, name: 'Ana Sayfa' })
analytics.screen({ userId, name: 'Sepet' })
analytics.group({ userId, groupId: 'g-1', traits: { name: 'Otel' } })
analytics.alias({ userId, previousId: 'a-1' })
for (let number = 0; number < 100; number++) {
  analytics.track({ anonymousId: `a-${number}`, event: 'Ürün Görüntülendi', properties: { number } })
}

analytics.closeAndFlush({ timeout: 20000 }).then(() => {
  if (failed.length) {
    console.error(failed)
    process.exit(1)
  }
})
