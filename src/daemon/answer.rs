//! Answering connections, encrypted or not.

use std::net::SocketAddr;

use axum::Router;
use axum_server::{Server, accept::NoDelayAcceptor, tls_rustls::RustlsAcceptor};
use tokio::task::JoinSet;

use super::Certificate;
use crate::problem::Problem;

/// Answers until the server's handle says to end; with a certificate, which is looked at beside, encrypted. Handlers are told
/// the address of who asks.
///
/// # Errors
/// When no connections can be taken any more.
pub(crate) async fn answer(
    server: Server<SocketAddr>,
    certificate: Option<Certificate>,
    router: Router,
    beside: &mut JoinSet<()>,
) -> Result<(), Problem> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    match certificate {
        Some(certificate) => {
            let acceptor = RustlsAcceptor::new(certificate.config()).acceptor(NoDelayAcceptor::new());
            beside.spawn(certificate.watch());
            server.acceptor(acceptor).serve(service).await?;
        }
        None => server.acceptor(NoDelayAcceptor::new()).serve(service).await?,
    }
    Ok(())
}
