internal import CPlugboard
internal import HostServices
internal import PluginHost

/// Makes the failure that tells an envelope's author that it was not delivered.
struct FailureNotice {
    let core: RouterCore
    /// Whose pool the memory comes from: the calling worker's index, or the pools' `workers`.
    let worker: Int

    /// A failure about one envelope, ready to be stored.
    ///
    /// - Parameters:
    ///   - instance: name of the instance that did not deliver it.
    ///   - target: index of the instance that can reach the author.
    /// - Returns: nil if it cannot be made of what the envelope holds.
    func make(
        about failed: RoutedEnvelope,
        from instance: String,
        to target: Int,
        _ reason: FailureReason
    ) -> RoutedEnvelope? {
        let source = failed.envelope.pointee
        return withTexts([reason.text, reason.code, instance]) { texts in
            let content = plugboard_failure_t(
                struct_size: UInt32(MemoryLayout<plugboard_failure_t>.size),
                failure_class: reason.failureClass,
                failed_kind: source.kind,
                flags: reason.isUncertain ? PLUGBOARD_OUTCOME_UNCERTAIN : 0,
                reserved: 0,
                message_id: source.id,
                reason: texts[0],
                code: texts[1]
            )
            return withUnsafePointer(to: content) { content in
                var notice = plugboard_envelope_t()
                notice.struct_size = UInt32(MemoryLayout<plugboard_envelope_t>.size)
                notice.kind = PLUGBOARD_FAILURE
                (notice.from, notice.from_device) = (source.to, source.to_device)
                (notice.to, notice.to_device) = (source.from, source.from_device)
                notice.conversation = source.conversation
                notice.account = source.account
                notice.origin = texts[2]
                notice.timestamp_ms = HostClock.wallMs()
                notice.expires_ms = notice.timestamp_ms + core.expireMs
                notice.content = UnsafeRawPointer(content)
                return copy(&notice, to: target)
            }
        }
    }

    private func copy(_ notice: UnsafePointer<plugboard_envelope_t>, to target: Int) -> RoutedEnvelope? {
        guard let imageBytes = try? FlatEnvelope.measure(notice) else { return nil }
        let routed = RoutedEnvelope(imageBytes: imageBytes, from: core.pools, worker: worker)
        let envelope = FlatEnvelope.copy(notice, to: routed.image)
        withUnsafeMutableBytes(of: &envelope.pointee.idempotency_key) { HostRandom.fill($0) }
        routed.header.pointee.step = .append
        routed.header.pointee.target = target
        routed.header.pointee.createdAt = notice.pointee.timestamp_ms
        routed.header.pointee.conversation = RoutedEnvelope.conversation(envelope.pointee)
        routed.header.pointee.isDurable = core.isDurable
        return routed
    }
}
