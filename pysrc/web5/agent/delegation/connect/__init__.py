"""The connect flow of `@web5/agent`: an app asks a wallet, through a relay, for a delegation.

The request goes encrypted with a key that is in the link which the person brings to the wallet; the response, for the
app's key, with a PIN that the wallet shows and the person types into the app.
"""
