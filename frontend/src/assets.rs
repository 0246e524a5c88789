//! The style sheet and the icon, compiled in, under addresses that change with their content.

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// A file that pages refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

pub(crate) const STYLE: Asset = Asset {
    name: "style.css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("../assets/style.css"),
};

pub(crate) const ICON: Asset = Asset {
    name: "icon.svg",
    media_type: "image/svg+xml",
    content: include_str!("../assets/icon.svg"),
};

impl Asset {
    /// `/assets/<fingerprint>/<name>`: changed content has another path, so no cache serves an old one.
    pub(crate) fn path(self) -> String {
        format!("/assets/{}/{}", self.fingerprint(), self.name)
    }

    /// FNV-1a of the content: it must differ between two releases, and need not withstand anybody.
    fn fingerprint(self) -> String {
        let step =
            |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        format!(
            "{:016x}",
            self.content.bytes().fold(0xcbf2_9ce4_8422_2325, step)
        )
    }

    /// During a rolling deployment a page of one release may ask a task of the other for its style. It gets
    /// the style there is, for this once: a page without one is worse than one with its neighbour's.
    fn answer(self, asked: &str) -> Response {
        let known = asked == self.fingerprint();
        let cache = if known {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        (
            [
                (header::CONTENT_TYPE, self.media_type),
                (header::CACHE_CONTROL, cache),
            ],
            self.content,
        )
            .into_response()
    }
}

/// The icon is also where browsers look that do not read the page.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let router = Router::new().route("/favicon.ico", get(async || ICON.answer("")));
    [STYLE, ICON].into_iter().fold(router, |router, asset| {
        let path = format!("/assets/{{fingerprint}}/{}", asset.name);
        router.route(
            &path,
            get(async move |Path(asked): Path<String>| asset.answer(&asked)),
        )
    })
}
