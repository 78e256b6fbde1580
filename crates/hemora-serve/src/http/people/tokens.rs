//! Tokens of programs, by administrators.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::Utc;
use hemora_store::{StoreError, TokenRow};

use super::bad;
use crate::access::{Asker, TOKEN, check_name, fresh, hash_of};
use crate::http::Node;
use crate::http::answer::{Answer, Refused, blocking};
use crate::http::types::{Done, MadeToken, NewToken, Scope, Token};

fn token(row: TokenRow) -> Result<Token, Refused> {
    let TokenRow { id, name, scope, created_at, used_at, revoked_at } = row;
    let Some(scope) = Scope::from_word(&scope) else {
        let problem = format!("the token {id} has the scope {scope:?}, which is none");
        return Err(StoreError::Damaged(problem).into());
    };
    Ok(Token { id, name, scope, created_at, used_at, revoked_at })
}

/// All tokens, newest first.
pub(crate) async fn tokens(State(node): State<Node>) -> Answer<Vec<Token>> {
    blocking(move || node.store.tokens()?.into_iter().map(token).collect()).await
}

/// Makes a token and shows it, once.
pub(crate) async fn make(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    new: Result<Json<NewToken>, JsonRejection>,
) -> Answer<MadeToken> {
    let Json(NewToken { name, scope }) = new?;
    check_name(&name).map_err(bad)?;
    blocking(move || {
        let secret = format!("{TOKEN}{}", fresh());
        let hash = hash_of(&secret);
        let id = node.store.create_token(hash, &name, scope.as_str(), &asker.name, Utc::now())?;
        let row = node.store.token(hash)?.ok_or(StoreError::NoToken(id))?;
        Ok(MadeToken { token: token(row)?, secret })
    })
    .await
}

/// Takes a token back.
pub(crate) async fn revoke(
    State(node): State<Node>,
    Path(id): Path<i64>,
    Extension(asker): Extension<Asker>,
) -> Answer<Done> {
    blocking(move || {
        node.store.revoke_token(id, &asker.name, Utc::now())?;
        Ok(Done { done: format!("the token {id} is taken back") })
    })
    .await
}
