//! Users, by administrators.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use chrono::Utc;
use hemora_store::{StoreError, UserRow, UserUpdate};

use super::bad;
use super::login::{busy, internal};
use crate::access::{Asker, check_name, check_password, hash};
use crate::http::Node;
use crate::http::answer::{Answer, Refused, blocking};
use crate::http::types::{NewUser, Role, User, UserChange};
use crate::shared::Shared;

/// What the user may do.
pub(super) fn role_of(row: &UserRow) -> Result<Role, Refused> {
    Role::from_word(&row.role).ok_or_else(|| {
        let problem = format!("the user {:?} has the role {:?}, which is none", row.name, row.role);
        StoreError::Damaged(problem).into()
    })
}

fn user(row: UserRow) -> Result<User, Refused> {
    let role = role_of(&row)?;
    let UserRow { name, disabled, created_at, seen_at, .. } = row;
    Ok(User { name, role, disabled, created_at, seen_at })
}

/// All users, by name.
pub(crate) async fn users(State(node): State<Node>) -> Answer<Vec<User>> {
    blocking(move || node.store.users()?.into_iter().map(user).collect()).await
}

/// Makes a user.
pub(crate) async fn make(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    new: Result<Json<NewUser>, JsonRejection>,
) -> Answer<User> {
    let Json(NewUser { name, role, password }) = new?;
    check_name(&name).and_then(|()| check_password(&name, &password)).map_err(bad)?;
    in_turn(&node, move |node| {
        let hash = hash(&password).map_err(internal)?;
        let row = node.store.create_user(&name, &hash, role.as_str(), &asker.name, Utc::now());
        user(row?)
    })
    .await
}

/// Changes a user and ends their sessions.
pub(crate) async fn change(
    State(node): State<Node>,
    Path(name): Path<String>,
    Extension(asker): Extension<Asker>,
    change: Result<Json<UserChange>, JsonRejection>,
) -> Answer<User> {
    let Json(UserChange { role, disabled, password }) = change?;
    if role.is_none() && disabled.is_none() && password.is_none() {
        return Err(Refused::bad(
            "nothing is to be changed: give `role`, `disabled` or `password`",
        ));
    }
    if let Some(password) = &password {
        check_password(&name, password).map_err(bad)?;
    }
    in_turn(&node, move |node| {
        let role = role.map(|role| role.as_str().to_owned());
        let password_hash = password.map(|it| hash(&it)).transpose().map_err(internal)?;
        let update = UserUpdate { role, disabled, password_hash };
        user(node.store.change_user(&name, update, &asker.name, Utc::now())?)
    })
    .await
}

/// Runs what may hash a password, when it is its turn.
async fn in_turn(
    node: &Node,
    work: impl FnOnce(&Shared) -> Result<User, Refused> + Send + 'static,
) -> Answer<User> {
    let at_work = Node::clone(node);
    let done = node.access.passwords.in_turn(move || work(&at_work)).await;
    done.unwrap_or_else(|_| Err(busy())).map(Json)
}
