import Testing

@testable import HostServices

@Suite("URLs")
struct HTTPAddressTests {
    @Test(
        "an http or https URL is taken apart",
        arguments: [
            ("http://a.test", "http://a.test/"), ("HTTPS://A.Test:443/x?y#z", "https://a.test/x?y"),
            ("http://a.test:8080?q", "http://a.test:8080/?q"), ("http://[::1]:80/", "http://[::1]/"),
            ("http://192.0.2.1/", "http://192.0.2.1/"), ("http://a.test:/", "http://a.test/"),
        ]
    )
    func good(text: String, whole: String) {
        #expect(HTTPAddress(text)?.description == whole)
    }

    @Test(
        "what is no http URL, or has a user, is none",
        arguments: [
            "", "a.test", "ftp://a.test/", "http:/a.test", "http://", "http://u@a.test/", "http://u:p@a.test/",
            "http://a.test:0/", "http://a.test:65536/", "http://a.test:8x/", "http://a b/", "http://a.test/\r\nX: y",
            "http://a.test/ü", "http://[::1", "http://[127.0.0.1]/", "http://a..test/", "http://a.test/ x",
        ]
    )
    func bad(text: String) {
        #expect(HTTPAddress(text) == nil)
    }

    @Test("a URL of the longest length is taken, a longer one is not")
    func length() {
        let start = "http://a.test/"
        let room = HTTPAddress.bytesMax - start.utf8.count
        #expect(HTTPAddress(start + String(repeating: "x", count: room)) != nil)
        #expect(HTTPAddress(start + String(repeating: "x", count: room + 1)) == nil)
    }

    @Test(
        "a reference means what RFC 3986 §5.4 says",
        arguments: [
            ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
            ("//g", "http://g/"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"), ("..", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"),
            ("../../../g", "http://a/g"), ("g#s", "http://a/b/c/g"), ("https://h/x", "https://h/x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"), ("g?u=http://x", "http://a/b/c/g?u=http://x"),
        ]
    )
    func references(reference: String, whole: String) {
        #expect(HTTPAddress("http://a/b/c/d;p?q")?.resolving(reference)?.description == whole)
    }

    @Test("a reference to another scheme leads nowhere", arguments: ["ftp://a/", "javascript:1", "http://u@b/", "a b"])
    func foreignReferences(reference: String) {
        #expect(HTTPAddress("http://a/")?.resolving(reference) == nil)
    }
}
